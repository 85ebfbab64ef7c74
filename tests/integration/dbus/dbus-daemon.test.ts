import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { DBusConnection } from "../../../src/kernel/dbus/connection.ts";
import { variant } from "../../../src/kernel/dbus/values.ts";
import { SystemdConnection } from "../../../src/kernel/systemd/systemd-connection.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const missing = ["dbus-daemon", "dbus-send", "dbus-monitor"].find((name) => Bun.which(name) === null);
const bus = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus" };
const busInterface = "org.freedesktop.DBus";

describe.skipIf(missing !== undefined)(`a real dbus-daemon${missing ? ` (no ${missing})` : ""}`, () => {
  const directory = scratchDirectory("dbus");
  const daemons: Subprocess[] = [];
  const open = () => DBusConnection.open(join(directory, "bus"), "bus");
  const ask = (connection: DBusConnection, member: string, signature = "", body: readonly string[] = []) =>
    connection.call({ ...bus, interface: busInterface, member, signature, body })[0];

  beforeAll(async () => {
    await startDaemon("bus", "EXTERNAL");
    await startDaemon("anonymous", "ANONYMOUS");
  });
  afterAll(async () => {
    for (const daemon of daemons) {
      daemon.kill();
      await daemon.exited;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  async function startDaemon(name: string, mechanism: string): Promise<void> {
    const config = join(directory, `${name}.conf`);
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig><type>session</type><listen>unix:path=${join(directory, name)}</listen><auth>${mechanism}</auth>
      <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
      </busconfig>`,
    );
    const daemon = Bun.spawn(["dbus-daemon", `--config-file=${config}`, "--nofork", "--print-address=1"], {
      stdout: "pipe",
      stderr: "ignore",
    });
    daemons.push(daemon);
    await daemon.stdout.getReader().read(); // the address: it listens
  }

  test("says who we are", () => {
    using connection = open();
    const name = String(
      ask(connection, "ListNames")
        ?.toString()
        .split(",")
        .find((each) => each.startsWith(":")),
    );
    const credentials = ask(connection, "GetConnectionCredentials", "s", [name]);
    expect(credentials).toContainEqual(["UnixUserID", variant("u", process.geteuid?.() ?? 0)]);
    expect(credentials).toContainEqual(["ProcessID", variant("u", process.pid)]);
  });

  test("answers longer than one read arrive whole", () => {
    using connection = open();
    const names = Array.from({ length: 500 }, (_, index) => `org.example.${"n".repeat(50)}${index}`);
    for (const name of names)
      connection.call({
        ...bus,
        interface: busInterface,
        member: "RequestName",
        signature: "su",
        body: [name, 0],
      });
    expect(ask(connection, "ListNames")).toEqual(expect.arrayContaining(names));
  });

  test("an error has its name and its text", () => {
    using connection = open();
    expect(() =>
      connection.call({
        destination: "org.example.Nobody",
        path: "/",
        interface: "org.example.I",
        member: "Do",
      }),
    ).toThrow(
      expect.objectContaining({
        code: "dbus.org.freedesktop.DBus.Error.ServiceUnknown",
        message: expect.stringContaining("org.example.Nobody"),
      }),
    );
  });

  test("a signal that came while an answer was waited for is not lost", async () => {
    using connection = open();
    connection.addMatch(`type='signal',member='NameOwnerChanged',interface='${busInterface}'`);
    const other = Bun.spawn(
      [
        "dbus-send",
        `--bus=unix:path=${join(directory, "bus")}`,
        "--print-reply",
        `--dest=${busInterface}`,
      ].concat([bus.path, `${busInterface}.RequestName`, "string:org.example.Other", "uint32:0"]),
      { stdout: "ignore" },
    );
    expect(await other.exited).toBe(0);
    ask(connection, "GetId"); // the signals stand before its answer
    const { body } = connection.waitForSignal(
      ({ body: [name, , owner] }) => name === "org.example.Other" && owner !== "",
      "the other's name",
    );
    expect(body[2]).toStartWith(":");
  });

  test("others read what we write", async () => {
    const monitor = Bun.spawn(["dbus-monitor", "--address", `unix:path=${join(directory, "bus")}`], {
      stdout: "pipe",
      stderr: "ignore",
    });
    let seen = "";
    const reading = (async () => {
      for await (const chunk of monitor.stdout) seen += Buffer.from(chunk).toString();
    })();
    try {
      await waitFor("the monitor", async () => seen.includes("NameLost"));
      using connection = open();
      const property = ["CPUWeight", variant("t", 2n ** 64n - 1n)];
      const devices = ["DeviceAllow", variant("a(ss)", [["char-pts", "rwm"]])];
      expect(() =>
        connection.call({
          destination: "org.example.Nobody",
          path: "/a/b_1",
          interface: "org.example.I",
          member: "Do",
          signature: "sa(sv)daybxna(sa(sv))",
          body: ["ü", [property, devices], 0.5, new Uint8Array([65, 66]), true, -1n, -2, []],
        }),
      ).toThrow();
      await waitFor("the message", async () => seen.includes("int16 -2"));
      const words = seen.slice(seen.indexOf("member=Do")).replaceAll(/\s+/g, " ");
      expect(words).toContain(
        'member=Do string "ü" array [ struct { string "CPUWeight" variant uint64 18446744073709551615 } struct { string "DeviceAllow" variant array [ struct { string "char-pts" string "rwm" } ] } ] double 0.5 array of bytes "AB" boolean true int64 -1 int16 -2 array [ ]',
      );
    } finally {
      monitor.kill();
      await reading;
    }
  });

  test("one that does not take our kind of identity is named", () => {
    expect(() => DBusConnection.open(join(directory, "anonymous"), "bus")).toThrow(
      expect.objectContaining({ kind: "Unavailable", code: "dbus.rejected" }),
    );
  });

  test("all lines of the authentication come at once, before systemd could read a call with them", async () => {
    const path = join(directory, "peer");
    const answer = `bytes.includes("BEGIN") ? "DATA\\r\\nOK 0\\r\\n" : "REJECTED\\r\\n"`;
    const script = `Bun.listen({
      unix: ${JSON.stringify(path)},
      socket: { data: (socket, bytes) => void socket.write(${answer}) },
    });
    console.log("listening");`;
    const peer = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    daemons.push(peer);
    await peer.stdout.getReader().read();
    expect(() => DBusConnection.open(path, "peer")[Symbol.dispose]()).not.toThrow();
  });

  test("a bus without systemd, and no bus at all", () => {
    const at = (runtimeDirectory: string) => () =>
      SystemdConnection.open({ kind: "user", runtimeDirectory })[Symbol.dispose]();
    expect(at(join(directory, "nowhere"))).toThrow(
      expect.objectContaining({ code: "systemd.not-running", hint: expect.stringContaining("cgroupfs") }),
    );
    Bun.spawnSync(["mkdir", "-p", join(directory, "systemd")]);
    expect(at(directory)).toThrow(
      expect.objectContaining({
        code: "systemd.unreachable",
        message: expect.stringContaining("org.freedesktop.systemd1 was not provided"),
      }),
    );
  });
});
