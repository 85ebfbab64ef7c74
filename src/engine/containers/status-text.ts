import type { ContainerStatus } from "./state-machine.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A span of time as Docker's tables say it: `Less than a second`, `About a minute`, `3 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / second);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / minute);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(ms / hour + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const wholeHours = Math.floor(ms / hour);
  if (wholeHours < 24 * 7 * 2) return `${Math.floor(ms / day)} days`;
  if (wholeHours < 24 * 30 * 2) return `${Math.floor(wholeHours / 24 / 7)} weeks`;
  if (wholeHours < 24 * 365 * 2) return `${Math.floor(wholeHours / 24 / 30)} months`;
  return `${Math.floor(wholeHours / 24 / 365)} years`;
}

export interface StatusFacts {
  readonly status: ContainerStatus;
  readonly exitCode: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** The column STATUS of `ps`: `Up 3 seconds`, `Exited (0) 2 minutes ago`. */
export function statusText(facts: StatusFacts, nowMs: number): string {
  switch (facts.status) {
    case "created":
      return "Created";
    case "running":
      return `Up ${humanDuration(nowMs - facts.startedAtMs)}`;
    case "paused":
      return `Up ${humanDuration(nowMs - facts.startedAtMs)} (Paused)`;
    case "removing":
      return "Removal In Progress";
    case "exited":
      return `Exited (${facts.exitCode}) ${humanDuration(nowMs - facts.finishedAtMs)} ago`;
  }
}
