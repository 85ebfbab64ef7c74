import { existsSync } from "node:fs";
import {
  conflict,
  messageOf,
  notImplemented,
  PlatformError,
  systemError,
  unavailable,
} from "../../errors/platform-error.ts";
import { DBusConnection, type DBusKind, isDBusError } from "../dbus/connection.ts";
import { type DBusValue, isVariant, variant } from "../dbus/values.ts";
import type { ServiceManager, UnitProperty } from "./service-manager.ts";

const systemdName = "org.freedesktop.systemd1";
const managerPath = "/org/freedesktop/systemd1";
const managerInterface = `${systemdName}.Manager`;

/** A job that stands in nobody's way replaces those which do. */
const jobMode = "replace";

/**
 * A connection to a service manager. Each method returns when the manager is done.
 *
 * Errors: Conflict, Unavailable and System, each naming the unit and what systemd says.
 * Spec:   org.freedesktop.systemd1(5), "The Manager Object".
 */
export class SystemdConnection implements Disposable {
  private constructor(private readonly dbus: DBusConnection) {}

  /** Errors: NotImplemented where there is none, Unavailable where it cannot be reached. */
  static open(manager: ServiceManager): SystemdConnection {
    const failures: string[] = [];
    for (const { path, kind } of socketsOf(manager)) {
      try {
        return SystemdConnection.openAt(path, kind);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    throw isRunning(manager)
      ? unavailable(`systemd cannot be reached: ${failures.join("; ")}`, { code: "systemd.unreachable" })
      : notRunning(manager);
  }

  /** A peer sends its signals to everybody who is connected; a bus has to be asked for them. */
  private static openAt(path: string, kind: DBusKind): SystemdConnection {
    const dbus = DBusConnection.open(path, kind);
    const connection = new SystemdConnection(dbus);
    try {
      if (kind === "bus") {
        dbus.addMatch(`type='signal',interface='${managerInterface}',member='JobRemoved'`);
        connection.call("Subscribe");
      }
      return connection;
    } catch (error) {
      dbus[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.dbus[Symbol.dispose]();
  }

  /** A property of the manager itself: `Version`, `ControlGroup`. */
  managerProperty(name: string): string {
    const [value] = this.dbus.call({
      destination: systemdName,
      path: managerPath,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      body: [managerInterface, name],
    });
    if (value === undefined || !isVariant(value)) throw systemError(`systemd has no property ${name}`);
    return String(value.value);
  }

  /**
   * Makes a unit that goes away when it ends, and starts it. One that has failed is still known under its name: it is forgotten.
   * Errors: Conflict for a unit that is there.
   */
  startTransientUnit(unit: string, properties: readonly UnitProperty[]): void {
    const start = () =>
      this.runJob("start", unit, "StartTransientUnit", "ssa(sv)a(sa(sv))", [
        unit,
        jobMode,
        encode(properties),
        [],
      ]);
    this.translated("start", unit, () => {
      try {
        start();
      } catch (error) {
        if (!isDBusError(error, `${systemdName}.UnitExists`)) throw error;
        this.resetFailedUnit(unit);
        start();
      }
    });
  }

  /** Ends a unit's processes and forgets it. One that is not there is fine. */
  stopUnit(unit: string): void {
    this.translated("stop", unit, () => {
      try {
        this.runJob("stop", unit, "StopUnit", "ss", [unit, jobMode]);
      } catch (error) {
        if (!isDBusError(error, `${systemdName}.NoSuchUnit`)) throw error;
      }
    });
    this.resetFailedUnit(unit);
  }

  /** Until the unit ends. Errors: none of the properties is set then. */
  setUnitProperties(unit: string, properties: readonly UnitProperty[]): void {
    this.translated("set properties of", unit, () => {
      this.call("SetUnitProperties", "sba(sv)", [unit, true, encode(properties)]);
      // systemd writes the cgroup's files before it reads a further message, not before it answers this one.
      this.managerProperty("Version");
    });
  }

  /** It need not have failed, nor be there. */
  private resetFailedUnit(unit: string): void {
    try {
      this.call("ResetFailedUnit", "s", [unit]);
    } catch (error) {
      if (!(error instanceof PlatformError && error.code?.startsWith("dbus.") === true)) throw error;
    }
  }

  /** JobRemoved: id, job, unit, result. */
  private runJob(verb: string, unit: string, member: string, signature: string, body: DBusValue[]): void {
    const [job] = this.call(member, signature, body);
    const removed = this.dbus.waitForSignal(
      (signal) => signal.member === "JobRemoved" && signal.body[1] === job,
      `${verb} ${unit}`,
    );
    const result = removed.body[3];
    if (result !== "done") throw systemError(`the job ended as "${result}"`, { code: "systemd.job-failed" });
  }

  private call(member: string, signature = "", body: readonly DBusValue[] = []): readonly DBusValue[] {
    const address = { destination: systemdName, path: managerPath, interface: managerInterface };
    return this.dbus.call({ ...address, member, signature, body });
  }

  private translated(verb: string, unit: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (isDBusError(error, `${systemdName}.UnitExists`)) throw unitExists(unit);
      const kind = error instanceof PlatformError ? error.kind : "System";
      const code = error instanceof PlatformError ? error.code : undefined;
      throw new PlatformError(kind, `systemd: ${verb} unit ${unit}: ${messageOf(error)}`, {
        cause: error,
        code,
      });
    }
  }
}

export const unitExists = (unit: string) =>
  conflict(`unit ${unit} exists already`, {
    code: "systemd.unit-exists",
    hint: `\`systemctl status ${unit}\` shows what it is; give this container a linux.cgroupsPath of its own`,
  });

const encode = (properties: readonly UnitProperty[]): DBusValue =>
  properties.map(({ name, signature, value }) => [name, variant(signature, value)]);

interface ManagerSocket {
  readonly path: string;
  readonly kind: DBusKind;
}

/** The manager's own socket needs no bus daemon; only its own user and root may use it. */
function socketsOf(manager: ServiceManager): ManagerSocket[] {
  const directory = manager.kind === "system" ? "/run" : manager.runtimeDirectory;
  const bus = manager.kind === "system" ? "dbus/system_bus_socket" : "bus";
  return [
    { path: `${directory}/systemd/private`, kind: "peer" },
    { path: `${directory}/${bus}`, kind: "bus" },
  ];
}

/** sd_booted(3). */
const isRunning = (manager: ServiceManager): boolean =>
  existsSync(manager.kind === "system" ? "/run/systemd/system" : `${manager.runtimeDirectory}/systemd`);

const notRunning = (manager: ServiceManager) =>
  notImplemented(
    manager.kind === "system"
      ? "--systemd-cgroup: systemd is not running on this host: there is no /run/systemd/system"
      : `--systemd-cgroup: no systemd serves this user: there is no ${manager.runtimeDirectory}/systemd`,
    {
      code: "systemd.not-running",
      hint: "leave --systemd-cgroup away; a caller does so with the cgroup driver cgroupfs (native.cgroupdriver=cgroupfs, SystemdCgroup = false, --cgroup-manager cgroupfs)",
    },
  );
