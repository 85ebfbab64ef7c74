import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { posix } from "node:path";
import { PlatformError, systemError } from "../errors/platform-error.ts";
import { oomKills } from "../kernel/oom-events.ts";
import { O_PATH, RESOLVE_IN_ROOT, tryOpenat2 } from "../kernel/openat2.ts";
import type { Plan } from "../kernel/steps.ts";
import { defaultPath } from "../runtime/defaults.ts";
import { diagnoseExec, type ProgramFile } from "./diagnose-exec.ts";
import { endedEarly } from "./failure.ts";

const headBytes = 4096;

/**
 * Looks at the program that could not be executed, while its root (or its container) is still there, and says what is wrong with it: exec
 * itself answers the same errno for a missing interpreter, a script from Windows and an image for another processor.
 * Any other error comes back as it is.
 */
export function diagnoseStart<E>(error: E, plan: Plan, rootDirectory = rootOf(plan)): E | PlatformError {
  if (!(error instanceof PlatformError)) return error;
  if (error.code === endedEarly) return outOfMemory(plan) ?? error;
  const program = programOf(plan);
  if (!error.code?.startsWith("exec.")) return error;
  if (program === undefined || rootDirectory === undefined) return error;
  const open = (path: string): ProgramFile | undefined => {
    const place = placeOf(plan, rootDirectory, path);
    return openProgram(place.root, place.path);
  };
  const path = program.candidates.find((candidate) => open(candidate)?.kind === "file");
  return (path === undefined ? undefined : diagnoseExec(program.name, path, open)) ?? error;
}

/** Only of a cgroup that is as new as the process: in an older one, somebody else may have been killed before. */
function outOfMemory({ steps }: Plan): PlatformError | undefined {
  const made = steps.flatMap((step) => (step.op === "make-cgroup" ? [step.path] : []));
  if (!made.some((directory) => oomKills(directory) > 0)) return undefined;
  return systemError("container init was OOM-killed (memory limit too low?)", {
    code: "memory.too-low",
    hint: "give it more than it takes to begin: a few megabytes",
  });
}

/** A further process has that of the container which it joins. */
function rootOf(plan: Plan): string | undefined {
  const opened = plan.steps.find((step) => step.op === "open-root");
  if (opened !== undefined) return opened.source;
  const joined = plan.steps.find((step) => step.op === "join-namespace" && step.namespace === "mount");
  return joined?.op === "join-namespace" ? joined.path.replace(/\/ns\/mnt$/, "/root") : undefined;
}

/** Binds are not mounted on the host's side of the root: what lies in one is looked up at its source. */
function placeOf(plan: Plan, rootDirectory: string, path: string): { root: string; path: string } {
  const binds = plan.steps.flatMap((step) => (step.op === "bind" ? [step] : []));
  const bind = binds.findLast(({ target }) => path === target || path.startsWith(`${target}/`));
  return bind
    ? { root: bind.source, path: path.slice(bind.target.length) || "." }
    : { root: rootDirectory, path };
}

interface Program {
  readonly name: string;
  /** Absolute paths inside the container, in the order in which exec looks (helper/exec.c). */
  readonly candidates: readonly string[];
}

function programOf(plan: Plan): Program | undefined {
  const step = plan.steps.findLast((candidate) => candidate.op === "exec");
  const name = step?.args[0];
  if (step === undefined || name === undefined) return undefined;
  const directory = plan.steps.findLast((candidate) => candidate.op === "change-directory")?.path ?? "/";
  if (name.includes("/")) return { name, candidates: [posix.resolve(directory, name)] };
  const path = step.env.findLast((variable) => variable.startsWith("PATH="))?.slice("PATH=".length);
  const folders = (path ?? defaultPath).split(":").filter((folder) => folder.startsWith("/"));
  return { name, candidates: folders.map((folder) => posix.join(folder, name)) };
}

function openProgram(rootDirectory: string, path: string): ProgramFile | undefined {
  const root = openSync(rootDirectory, O_PATH);
  // O_NONBLOCK: a FIFO must not hang the engine.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const fd =
    path === "."
      ? openSync(rootDirectory, flags)
      : tryOpenat2(root, path, { flags, resolve: RESOLVE_IN_ROOT });
  closeSync(root);
  if (fd < 0) return undefined;
  try {
    const stat = fstatSync(fd);
    const kind = stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other";
    const head = Buffer.alloc(headBytes);
    const length = kind === "file" ? readSync(fd, head, 0, headBytes, 0) : 0;
    return { kind, mode: stat.mode & 0o7777, head: head.subarray(0, length) };
  } finally {
    closeSync(fd);
  }
}
