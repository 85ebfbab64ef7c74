import { closeSync } from "node:fs";
import { conflict } from "../../errors/platform-error.ts";
import { parseDurationNs } from "../../formats/duration.ts";
import { openOomEvents } from "../../kernel/oom-events.ts";
import { POLLIN, poll } from "../../kernel/poll.ts";
import { openPidfd } from "../../kernel/processes.ts";
import { containerDirectory } from "../../runtime/lifecycle/container-directory.ts";
import { type ContainerState, readState } from "../../runtime/lifecycle/container-state.ts";
import { readContainerStats } from "../../runtime/lifecycle/container-stats.ts";
import { hasProcess, statusOf } from "../../runtime/lifecycle/container-status.ts";
import { stringifyExactly } from "../../runtime/lifecycle/exact-json.ts";
import { bool, parsed } from "../flag-kinds.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

const defaultIntervalMs = 5000;

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Print what a container uses, again and again, and when it runs out of memory",
  flags: {
    interval: parsed("Time between two lines (default 5s)", "duration", parseInterval),
    stats: bool("Print one object and quit"),
  },
  args: { min: 1, max: 1 },

  async execute(context, { flags, args: [id = ""] }) {
    const directory = containerDirectory(context.root, id);
    const state = readState(directory);
    if (!hasProcess(statusOf(directory, state))) throw conflict(`container with id ${id} is not running`);
    if (flags.stats) printStats(context, state);
    else follow(context, state, flags.interval ?? defaultIntervalMs);
    return 0;
  },
});

/** Milliseconds. */
function parseInterval(raw: string): number {
  const nanoseconds = parseDurationNs(raw);
  if (nanoseconds === undefined || nanoseconds <= 0)
    throw new Error("duration interval must be greater than 0");
  return Math.max(1, nanoseconds / 1e6);
}

const printStats = ({ print }: RuntimeContext, state: ContainerState) =>
  print(`${stringifyExactly({ type: "stats", id: state.id, data: readContainerStats(state) })}\n`);

/** Until the container ends. */
function follow(context: RuntimeContext, state: ContainerState, intervalMs: number): void {
  const pidfd = openPidfd(state.init?.pid ?? 0);
  try {
    using oom = openOomEvents(state.cgroup.facts, state.cgroup.path);
    for (let next = performance.now() + intervalMs; ; ) {
      const waiting = [
        { fd: pidfd, events: POLLIN },
        { fd: oom?.fd ?? -1, events: POLLIN },
      ];
      const [ended = 0, outOfMemory = 0] = poll(waiting, Math.max(0, next - performance.now()));
      if (outOfMemory !== 0 && oom?.take() === true)
        context.print(`${JSON.stringify({ type: "oom", id: state.id })}\n`);
      if (ended !== 0) return;
      if (performance.now() < next) continue;
      printStats(context, state);
      next += intervalMs;
    }
  } finally {
    closeSync(pidfd);
  }
}
