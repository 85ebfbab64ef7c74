/** A container's states, in Docker's words (engine-api, ContainerState). */
export type ContainerStatus = "created" | "running" | "paused" | "exited" | "removing";

/** What can happen to a container. */
export type ContainerEvent = "start" | "pause" | "unpause" | "exit" | "remove";

const transitions: Record<ContainerStatus, Partial<Record<ContainerEvent, ContainerStatus>>> = {
  created: { start: "running", remove: "removing" },
  running: { pause: "paused", exit: "exited" },
  paused: { unpause: "running", exit: "exited" },
  exited: { start: "running", remove: "removing" },
  removing: {},
};

/** The state after `event`, or undefined where it cannot happen: every caller asks this table, nobody keeps flags. */
export const next = (state: ContainerStatus, event: ContainerEvent): ContainerStatus | undefined =>
  transitions[state][event];

/** Whether a process of the container exists. */
export const isLive = (state: ContainerStatus): boolean => state === "running" || state === "paused";
