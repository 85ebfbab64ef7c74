import { messageOf } from "../../errors/platform-error.ts";
import { shortDigest } from "../../formats/digest.ts";
import type { FsckLine, FsckRepair, FsckSummary } from "../../wire/fsck-report.ts";
import type { RegistryCredentials } from "../transfer/contract.ts";
import { DeepCheck, type TreeComparer } from "./deep-check.ts";
import { describeProblem } from "./describe-problem.ts";
import { findProblems } from "./find-problems.ts";
import { imagesOf } from "./image-use.ts";
import { planLosses, planRepairs, type Repair, registriesFor } from "./plan-repairs.ts";
import { isNotice, keyOf, type Problem } from "./problem.ts";
import { Repairer, type RepairStores } from "./repairer.ts";
import type { EngineMemory, Survey } from "./survey.ts";
import { type FileHasher, Surveyor } from "./surveyor.ts";

export interface FsckOptions {
  /** A true path: the kernel's list of mounts knows no other. */
  readonly root: string;
  readonly bootId: string;
  readonly work: FileHasher & TreeComparer;
  /** The engine that runs on the root; undefined when none does. */
  readonly engine: { readonly stores: RepairStores; readonly memory: () => EngineMemory } | undefined;
  /** When none runs: opens the stores, which close with their use. */
  readonly open: () => Promise<RepairStores & AsyncDisposable>;
}

export interface FsckRequest {
  /** Compare the files of unpacked layers with their blobs. */
  readonly deep: boolean;
  readonly repair: boolean;
  /** By domain of a registry. */
  readonly credentials: (domain: string) => RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

/** Each round does what the one before made possible; the longest chain is corrupt, missing, fetched, unpacked, registered. */
const maxRounds = 8;

interface Findings {
  readonly survey: Survey;
  readonly problems: readonly Problem[];
}

/** Checks a root directory, and repairs what can be. Out: lines as they come; the last one is the summary. */
export async function* fsck(options: FsckOptions, request: FsckRequest): AsyncGenerator<FsckLine> {
  const { root, work, bootId, engine } = options;
  const surveyor = new Surveyor({
    root,
    bootId,
    hasher: work,
    signal: request.signal,
    ...(engine ? { memory: engine.memory } : {}),
    ...(request.deep ? { deep: new DeepCheck(work, request.signal) } : {}),
  });
  const look = () => settledLook(surveyor, engine !== undefined, request.signal);
  let state = await look();
  const registries = registriesFor(state.survey, state.problems);
  for (const problem of state.problems) yield { finding: describeProblem(problem) };
  const lost: string[] = [];
  if (request.repair && state.problems.some((problem) => !isNotice(problem))) {
    const repairer = new Repairer({
      root,
      live: engine?.stores,
      open: options.open,
      credentials: request.credentials,
      signal: request.signal,
      startedAt: new Date(),
    });
    const repairing = repairAll(repairer, look, state, lost);
    for (let step = await repairing.next(); ; step = await repairing.next()) {
      if (step.done) {
        state = step.value;
        break;
      }
      yield step.value;
    }
    for (const problem of state.problems) {
      if (!isNotice(problem)) yield { remaining: describeProblem(problem) };
    }
  }
  yield { summary: summaryOf(state, lost, registries) };
}

/** In a running engine things come and go: what a second look does not find again was no problem. */
async function settledLook(surveyor: Surveyor, isLive: boolean, signal: AbortSignal): Promise<Findings> {
  signal.throwIfAborted();
  const survey = await surveyor.look();
  const problems = findProblems(survey);
  if (!isLive || problems.length === 0) return { survey, problems };
  const first = new Set(problems.map(keyOf));
  const second = await surveyor.look();
  return { survey: second, problems: findProblems(second).filter((problem) => first.has(keyOf(problem))) };
}

async function* repairAll(
  repairer: Repairer,
  look: () => Promise<Findings>,
  first: Findings,
  lost: string[],
): AsyncGenerator<FsckLine, Findings> {
  let state = first;
  const tried = new Set<string>();
  for (const { object, path } of first.survey.broken) {
    const isAside = first.survey.memory === undefined && (object === "container" || object === "name");
    if (isAside) lost.push(`${object} of ${path}`);
  }
  if (first.survey.memory === undefined) lost.push(...first.problems.flatMap(lostOfRegistry));
  for (let round = 0; round < maxRounds; round++) {
    const plan = planRepairs(state.survey, state.problems).filter((repair) => !tried.has(nameOf(repair)));
    if (plan.length === 0) break;
    for (const repair of plan) {
      tried.add(nameOf(repair));
      yield { repair: await attempt(nameOf(repair), () => repairer.carryOut(repair)) };
    }
    state = await look();
  }
  if (state.survey.memory !== undefined) return state;
  const losses = planLosses(state.survey, state.problems);
  for (const { name, paths } of losses) {
    lost.push(name);
    for (const path of paths) {
      const repair = { op: "aside", path } as const;
      yield { repair: await attempt(nameOf(repair), () => repairer.carryOut(repair)) };
    }
  }
  return losses.length === 0 ? state : await look();
}

/** What only a push brings back. */
function lostOfRegistry(problem: Problem): string[] {
  switch (problem.kind) {
    case "tag-dangling":
      return [`tag ${problem.reference}`];
    case "link-dangling":
      return [`${problem.digest} of repository ${problem.repository}`];
    case "sidecar-broken":
      return problem.object.startsWith("registry ") ? [`${problem.object} of ${problem.path}`] : [];
    default:
      return [];
  }
}

async function attempt(what: string, act: () => Promise<void>): Promise<FsckRepair> {
  try {
    await act();
    return { what, outcome: "done" };
  } catch (error) {
    return { what, outcome: "failed", detail: messageOf(error) };
  }
}

function nameOf(repair: Repair): string {
  switch (repair.op) {
    case "aside":
      return `move ${repair.path} aside`;
    case "enter":
      return `write ${repair.path}`;
    case "fetch":
      return `fetch ${repair.role} blob ${repair.descriptor.digest}`;
    case "unpack": {
      const layers = repair.layers.map(({ chainId }) => shortDigest(chainId));
      return `unpack ${layers.join(", ")} of ${repair.image}`;
    }
    case "register":
      return `register ${repair.image}`;
  }
}

function summaryOf(
  { survey, problems }: Findings,
  lost: readonly string[],
  registries: readonly string[],
): FsckSummary {
  const notices = problems.filter(isNotice).length;
  return {
    blobs: survey.blobs.size,
    blobBytes: [...survey.blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    images: imagesOf(survey).length,
    layers: survey.layers.size,
    containers: survey.containers.length,
    problems: problems.length - notices,
    notices,
    lost,
    registries,
  };
}
