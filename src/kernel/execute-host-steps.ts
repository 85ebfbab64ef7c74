import { mkdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import { notImplemented, PlatformError } from "../errors/platform-error.ts";
import { attachDeviceFilter } from "./bpf.ts";
import { errnoOf, fileError, readCgroupFile, writeCgroupFile } from "./cgroup-files.ts";
import type { HostOperation, KernelStep, Plan } from "./steps.ts";

type HostStep = KernelStep & HostOperation;
export type UnitStep = Extract<HostStep, { op: "start-unit" }>;

/** Starts the unit of a step. Out: what stops it again, which never throws. */
export type StartUnit = (step: UnitStep) => () => void;

/** What was made, to be undone when a later part of the start fails. */
export interface HostStepsResult {
  /**
   * Removes the container's own cgroups again, as far as nothing is in them, and stops its unit. Safe to call twice; never throws.
   */
  undo(): void;
}

/**
 * Carries out the steps of phase `host`, synchronously: tens of small writes to cgroupfs that take less time than handing
 * them to a thread.
 *
 * The container's own cgroups must not exist: one that is left over and empty is made anew, so that no limit of an earlier run
 * stays. Parents may exist, and are left.
 * Only plans for systemd have a unit to start.
 * Errors: System naming the limit in the user's words, the file, the value and errno; Conflict for a cgroup in use. What was
 *         made is removed again.
 */
export function executeHostSteps(plan: Plan, startUnit: StartUnit = refuseUnit): HostStepsResult {
  const own = new Set(plan.steps.flatMap((step) => (step.op === "join-cgroup" ? [dirname(step.file)] : [])));
  const undos: (() => void)[] = [];
  const undo = () => {
    for (const undoStep of undos.splice(0).reverse()) undoStep();
  };
  try {
    for (const step of plan.steps)
      if (isHostStep(step)) {
        if (step.op === "start-unit") undos.push(startUnit(step));
        else executeStep(step, own, undos);
      }
  } catch (error) {
    undo();
    throw error;
  }
  return { undo };
}

const isHostStep = (step: KernelStep): step is HostStep => step.phase === "host";

const refuseUnit: StartUnit = ({ unit }) => {
  throw notImplemented(`unit ${unit}: there is nobody here to start it`);
};

type FileStep = Exclude<HostStep, UnitStep>;

function executeStep(step: FileStep, own: ReadonlySet<string>, undos: (() => void)[]): void {
  switch (step.op) {
    case "make-cgroup":
      if (own.has(step.path)) {
        if (step.mayExist === true) makeShared(step.path);
        else makeOwn(step.path);
        undos.push(() => removeQuietly(step.path));
      } else makeShared(step.path);
      break;
    case "inherit-cpuset":
      inheritCpuset(step.path, own.has(step.path));
      break;
    case "enable-controllers":
      enableControllers(step.path, step.controllers);
      break;
    case "write-cgroup":
      writeLimit(step);
      break;
    case "attach-device-filter":
      attachDeviceFilter(step.path, step.program);
      break;
  }
}

function makeShared(path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EEXIST") return;
    if (errno !== "ENOENT") throw fileError(error, `make cgroup ${path}`);
    makeShared(dirname(path));
    makeShared(path);
  }
}

/** Fresh: no limit of an earlier run may stay in it. */
function makeOwn(path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(path, 0o755);
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (attempt === 2 || (errno !== "ENOENT" && errno !== "EEXIST"))
        throw fileError(error, `make cgroup ${path}`);
      if (errno === "ENOENT") makeShared(dirname(path));
      else removeLeftOver(path);
    }
  }
}

function removeLeftOver(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw new PlatformError("Conflict", `cgroup ${path} is in use by another container or process`, {
      cause: error,
      code: "cgroup.in-use",
    });
  }
}

function removeQuietly(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Somebody is in it, or it is gone: neither is ours to change.
  }
}

/** cgroup-v1/cpusets: a new cpuset is empty, and takes no process until it has both; a shared one is left as it is. */
function inheritCpuset(path: string, isNew: boolean): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (!isNew && readCgroupFile(`${path}/${file}`) !== "") continue;
    const inherited = readCgroupFile(`${dirname(path)}/${file}`) ?? "";
    if (inherited !== "") writeCgroupFile(`${path}/${file}`, inherited);
  }
}

/** Only those which are missing: writing takes a lock that all cgroups of the machine share. */
function enableControllers(path: string, controllers: readonly string[]): void {
  const file = `${path}/cgroup.subtree_control`;
  const enabled = new Set((readCgroupFile(file) ?? "").split(" "));
  const missing = controllers.filter((name) => !enabled.has(name));
  if (missing.length > 0) writeCgroupFile(file, missing.map((name) => `+${name}`).join(" "));
}

function writeLimit(step: Extract<HostStep, { op: "write-cgroup" }>): void {
  try {
    writeCgroupFile(step.file, step.value);
  } catch (error) {
    const code = error instanceof PlatformError ? error.code : undefined;
    if (step.optional === true && code === "errno.ENOENT") return;
    const cause = error instanceof Error ? error.message : String(error);
    throw new PlatformError("System", `the kernel refuses ${step.reason}: ${cause}`, { cause: error, code });
  }
}
