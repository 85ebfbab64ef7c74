import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../../kernel/cgroup-files.ts";
import { controllerDirectory } from "../../kernel/cgroupfs.ts";
import type { ContainerState } from "./container-state.ts";
import { ociState } from "./oci-state.ts";

/** Beside state.json: what the native front has to know of a container (`front/runtime/record.h`). */
const recordFile = "front.record";

/** Once, behind the last state.json. A record that is cut off has no end, and is not used. */
export function writeFrontRecord(directory: string, state: ContainerState): void {
  const record = frontRecord(state);
  if (record === undefined) return;
  const path = join(directory, recordFile);
  try {
    writeFileSync(path, record, { mode: 0o600 });
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}

/**
 * Text fields with a NUL behind each, in the order of `struct record`. Undefined for containers that only the full program
 * understands: without a process, or of a user whose name has to be looked up. Pure.
 */
export function frontRecord(state: ContainerState): string | undefined {
  const { init, ownerUid, hooks, cgroup, notifySocket } = state;
  if (init === undefined || ownerUid !== 0) return undefined;
  const { facts, path, directories } = cgroup;
  const freezer = controllerDirectory(facts, "freezer", path) ?? "";
  const pids = controllerDirectory(facts, "pids", path);
  const unified = facts.version === 1 ? facts.unified : undefined;
  const fields = [
    "gantry-front-1",
    init.pid,
    init.startTime,
    flag(state.ownPidNamespace),
    flag(hooks.poststart.length === 0 && !notifySocket),
    flag(hooks.poststop.length === 0 && !notifySocket && cgroup.unit === undefined),
    facts.version,
    freezer,
    pids ?? directories[0] ?? "",
    unified === undefined ? (pids ?? "") : unified + path,
    ...shownAround(state, init.pid),
    directories.length,
    ...directories,
    "end",
  ];
  return fields.map((field) => `${field}\0`).join("");
}

const flag = (value: boolean) => (value ? 1 : 0);

/** What `state` prints before the pid, and behind the status. */
function shownAround(state: ContainerState, pid: number): string[] {
  const shown = `${JSON.stringify(ociState(state, "running", "root"), undefined, 2)}\n`;
  // Its quotes are escaped in every value, so that the first one is the fields themselves.
  const middle = `${pid},\n  "status": "running`;
  const at = shown.indexOf(`"pid": ${middle}`) + '"pid": '.length;
  return [shown.slice(0, at), shown.slice(at + middle.length)];
}
