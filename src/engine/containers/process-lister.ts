import { invalidParameter, notImplemented, systemError } from "../../errors/platform-error.ts";
import type { Container } from "./container.ts";
import type { ContainerCgroups } from "./container-cgroups.ts";
import type { ContainerEvents } from "./container-events.ts";
import { type ProcessTable, parsePsArguments, selectProcesses } from "./process-table.ts";

/** ps(1) of the host waits for nothing but a process that the kernel holds. */
const patienceMs = 10_000;

/** `top`: the host's ps(1), with the caller's options, about the processes in a container's cgroup. */
export class ProcessLister {
  constructor(
    private readonly cgroups: ContainerCgroups,
    private readonly events: ContainerEvents,
  ) {}

  /** Errors: Conflict unless it runs; InvalidParameter with what ps said; System where the host has no ps. */
  async list(container: Container, psArguments: string, signal: AbortSignal): Promise<ProcessTable> {
    container.liveShim();
    const { cgroupPath } = container.record;
    if (cgroupPath === undefined) throw notImplemented("top needs a cgroup, and this container has none");
    const output = await runPs(parsePsArguments(psArguments), signal);
    const table = selectProcesses(output, new Set(this.cgroups.processes(cgroupPath)));
    this.events.publish(container, "top");
    return table;
  }
}

async function runPs(words: readonly string[], signal: AbortSignal): Promise<string> {
  const program = Bun.which("ps");
  if (program === null) throw systemError("ps is not installed on this host", { hint: "install procps" });
  const ps = Bun.spawn([program, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  });
  const [output, errors] = await Promise.all([ps.stdout.text(), ps.stderr.text(), ps.exited]);
  if (ps.signalCode !== null) throw systemError(`ps was ended by ${ps.signalCode}`);
  if (ps.exitCode !== 0) throw invalidParameter(`ps: ${errors.trim().split("\n")[0] ?? ""}`);
  return output;
}
