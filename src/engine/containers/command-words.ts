import type { ContainerConfig } from "../spec/docker-config.ts";

/** The words to execute: entrypoint and command in one. */
export const commandWords = (config: ContainerConfig): string[] => [
  ...(config.Entrypoint ?? []),
  ...(config.Cmd ?? []),
];
