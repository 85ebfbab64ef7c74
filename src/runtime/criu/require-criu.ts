import { closeSync, readFileSync } from "node:fs";
import { notImplemented, type PlatformError } from "../../errors/platform-error.ts";
import { reapNow, spawnProcess } from "../../kernel/child-processes.ts";
import { createMemfd } from "../../kernel/memfd.ts";
import { defaultPath } from "../defaults.ts";
import { causeInCriuLog } from "./criu-log.ts";
import type { CriuResponse } from "./criu-messages.ts";
import { CriuWorker } from "./criu-worker.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where criu is, and with which environment it runs. */
export interface Criu {
  readonly program: string;
  readonly env: readonly string[];
}

/** The first that can replace LSM profiles and mount contexts, and that takes every option of ours. */
const oldestVersion = 31600;

/** What some requests need of the kernel. */
export type CriuFeature = keyof CriuResponse["features"];

const featureNames = {
  memoryTracking: "tracking of changed memory (CONFIG_MEM_SOFT_DIRTY)",
  lazyPages: "userfaultfd for --lazy-pages (CONFIG_USERFAULTFD)",
} as const satisfies Record<CriuFeature, string>;

/**
 * Finds criu, by its path or by its name in PATH, and asks it whether it can work on this kernel at all, and for the features that are needed.
 *
 * Errors: NotImplemented without one, for one that is too old, or one that cannot work here, with its own reason.
 */
export function requireCriu(name: string, env: Environment, needed: readonly CriuFeature[] = []): Criu {
  const { PATH = defaultPath } = env;
  const program = Bun.which(name, { PATH });
  if (program === null) throw missing(name);
  if (process.geteuid?.() !== 0)
    throw notImplemented("criu needs root", {
      code: "criu.rootless",
      hint: "checkpoint and restore containers of root",
    });
  const criu = { program, env: [`PATH=${PATH}`] };
  requireVersion(criu);
  const features = ask(criu, "featureCheck");
  if (features?.success !== true) throw unusable(criu);
  for (const feature of needed)
    if (!features.features[feature])
      throw notImplemented(`this kernel has no ${featureNames[feature]}`, {
        code: "criu.feature-missing",
      });
  return criu;
}

const missing = (name: string) =>
  name === "criu"
    ? notImplemented("criu is not installed on this host", {
        code: "criu.missing",
        hint: "install the package `criu`; or stop the container, and run it again from its bundle",
      })
    : notImplemented(`--criu ${name}: is no program`, {
        code: "criu.missing",
        hint: "give the path of a criu, or leave --criu away for the one in PATH",
      });

function requireVersion(criu: Criu): void {
  const response = ask(criu, "version");
  if (response?.success !== true) throw unusable(criu);
  if (response.version < oldestVersion)
    throw notImplemented(`${criu.program} is version ${dotted(response.version)}, and too old`, {
      code: "criu.too-old",
      hint: `install criu ${dotted(oldestVersion)} or newer`,
    });
}

function ask({ program, env }: Criu, question: "version" | "featureCheck"): CriuResponse | undefined {
  const worker = CriuWorker.spawn(program, env, []);
  const response = worker.request(question, undefined, () => {});
  worker.end();
  return response;
}

function unusable({ program, env }: Criu): PlatformError {
  const output = createMemfd("criu-check");
  try {
    reapNow(spawnProcess(program, ["criu", "check"], env, [[output, 2]]));
    const said = causeInCriuLog(readFileSync(`/proc/self/fd/${output}`, "utf8"));
    const reason = said === "" ? "" : `: ${said}`;
    return notImplemented(`${program} cannot work on this kernel${reason}`, {
      code: "criu.unusable",
      hint: "`criu check` says more; a newer criu may know this kernel",
    });
  } finally {
    closeSync(output);
  }
}

const dotted = (version: number): string =>
  [Math.floor(version / 10_000), Math.floor(version / 100) % 100, version % 100].join(".");
