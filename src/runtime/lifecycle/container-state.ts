import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import type { OciHook } from "../../formats/oci-runtime.ts";
import type { CgroupFacts } from "../../kernel/cgroup-facts.ts";
import { errnoOf, fileError } from "../../kernel/cgroup-files.ts";
import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";
import { noSuchContainer } from "./container-directory.ts";

/** A process that is told from every later one with the same number. */
export interface InitProcess {
  readonly pid: number;
  /** As in `ProcessFacts`. */
  readonly startTime: number;
}

/**
 * What `state.json` holds: what `create` made, so that everybody else can find and undo it. Whether the container runs is not
 * in it, the kernel knows that.
 */
export interface ContainerState {
  readonly version: 1;
  readonly ociVersion: string;
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  readonly ownerUid: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent until the process was made: either `create` is at work, or it was killed. */
  readonly init?: InitProcess;
  readonly cgroup: {
    readonly facts: CgroupFacts;
    readonly path: string;
    /** The container's own ones. */
    readonly directories: readonly string[];
    /** The unit of `options.systemd` that they belong to. */
    readonly unit?: string;
  };
  /** The first process takes all others with it. */
  readonly ownPidNamespace: boolean;
  readonly hooks: { readonly poststart: readonly OciHook[]; readonly poststop: readonly OciHook[] };
  readonly options: CreateOptions;
  /** What its first process got as standard streams (`criu/standard-streams.ts`); absent with a terminal of its own. */
  readonly streams?: readonly string[];
  /** Host path of the socket that the service manager gave to `create`. */
  readonly notifySocket?: string;
}

/** Options of `create` that the plan depends on. */
export interface CreateOptions {
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly preserveFds: number;
  /** The service manager that made the cgroups, as it was then. */
  readonly systemd?: SystemdFacts;
}

const stateFile = (directory: string) => join(directory, "state.json");

/** Written aside and renamed: a reader sees the old one or the new one. */
export function writeState(directory: string, state: ContainerState): void {
  const draft = join(directory, "state.json.new");
  try {
    writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
    renameSync(draft, stateFile(directory));
  } catch (error) {
    throw fileError(error, `write ${stateFile(directory)}`);
  }
}

/** Undefined where a runtime was killed before it wrote one. Errors: System for a damaged file. */
export function tryReadState(directory: string): ContainerState | undefined {
  let text: string;
  try {
    text = readFileSync(stateFile(directory), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw fileError(error, `read ${stateFile(directory)}`);
  }
  return parseState(text, stateFile(directory));
}

/** Errors: NotFound in runc's wording when there is none. */
export function readState(directory: string): ContainerState {
  const state = tryReadState(directory);
  if (state === undefined) throw noSuchContainer();
  return state;
}

function parseState(text: string, path: string): ContainerState {
  try {
    const value: unknown = JSON.parse(text);
    // The directory is the runtime's own; the version guards against the file of another one.
    if (isState(value)) return value;
  } catch (error) {
    throw systemError(`${path} is damaged: ${messageOf(error)}`, { cause: error });
  }
  throw systemError(`${path} was written by another runtime or another version of this one`);
}

const isState = (value: unknown): value is ContainerState =>
  typeof value === "object" &&
  value !== null &&
  "version" in value &&
  value.version === 1 &&
  "cgroup" in value;
