import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notImplemented } from "../../errors/platform-error.ts";

/**
 * Stops and continues all processes of a cgroup. cgroup v2: cgroup.freeze; v1: freezer.state.
 * Kernel: Documentation/admin-guide/cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst.
 */
export class Freezer {
  /** Settles once every process stands still. */
  async freeze(cgroups: readonly string[]): Promise<void> {
    const file = freezerFile(cgroups);
    writeFileSync(file.path, file.frozen);
    while (!file.isFrozen()) await Bun.sleep(1);
  }

  thaw(cgroups: readonly string[]): void {
    const file = freezerFile(cgroups);
    writeFileSync(file.path, file.thawed);
  }
}

interface FreezerFile {
  readonly path: string;
  readonly frozen: string;
  readonly thawed: string;
  readonly isFrozen: () => boolean;
}

function freezerFile(cgroups: readonly string[]): FreezerFile {
  for (const cgroup of cgroups) {
    const v2 = join(cgroup, "cgroup.freeze");
    if (existsSync(v2)) {
      const events = join(cgroup, "cgroup.events");
      const isFrozen = () => /^frozen 1$/m.test(readFileSync(events, "utf8"));
      return { path: v2, frozen: "1", thawed: "0", isFrozen };
    }
    const v1 = join(cgroup, "freezer.state");
    if (existsSync(v1)) {
      const isFrozen = () => readFileSync(v1, "utf8").trim() === "FROZEN";
      return { path: v1, frozen: "FROZEN", thawed: "THAWED", isFrozen };
    }
  }
  throw notImplemented("pausing needs a cgroup with a freezer, and this container has none");
}
