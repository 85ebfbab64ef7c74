import { messageOf } from "../../errors/platform-error.ts";
import type { UnitStep } from "../../kernel/execute-host-steps.ts";
import { SystemdConnection } from "../../kernel/systemd/systemd-connection.ts";
import { isSlice } from "../systemd/unit-place.ts";
import type { HeldProcess, ProcessLauncher } from "./launcher.ts";

/**
 * Starts the unit of a new container. A scope lives as long as there are processes in it, and the container's own is not there yet: one
 * that only waits keeps the place until `release`. When this program is killed, it ends, and with it the unit.
 */
export class UnitStarter implements Disposable {
  #keeper: HeldProcess | undefined;

  constructor(
    private readonly launcher: Pick<ProcessLauncher, "hold">,
    private readonly warn: (message: string) => void,
  ) {}

  /** Out: what stops the unit. Errors: as `SystemdConnection`; there is no unit of ours then. */
  start({ manager, unit, properties }: UnitStep): () => void {
    using systemd = SystemdConnection.open(manager);
    if (isSlice(unit)) systemd.startTransientUnit(unit, properties);
    else {
      this.#keeper = this.launcher.hold();
      const first = { name: "PIDs", signature: "au", value: [this.#keeper.pid] };
      systemd.startTransientUnit(unit, [...properties, first]);
    }
    return () => {
      try {
        using connection = SystemdConnection.open(manager);
        connection.stopUnit(unit);
      } catch (error) {
        this.warn(messageOf(error));
      }
    };
  }

  /** The container's process is in the unit. */
  release(): void {
    this.#keeper?.end();
    this.#keeper = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
