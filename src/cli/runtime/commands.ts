/** Every command and the file that it lives in, imported only when it is called. */
import type { RuntimeCommand } from "./runtime-command.ts";

type Load = () => Promise<{ readonly command: RuntimeCommand }>;

const commands: Readonly<Record<string, Load>> = {
  checkpoint: () => import("./checkpoint.ts"),
  create: () => import("./create.ts"),
  delete: () => import("./delete.ts"),
  events: () => import("./events.ts"),
  exec: () => import("./exec.ts"),
  features: () => import("./features.ts"),
  kill: () => import("./kill.ts"),
  list: () => import("./list.ts"),
  pause: () => import("./pause.ts"),
  ps: () => import("./ps.ts"),
  restore: () => import("./restore.ts"),
  resume: () => import("./resume.ts"),
  run: () => import("./run.ts"),
  spec: () => import("./spec.ts"),
  start: () => import("./start.ts"),
  state: () => import("./state.ts"),
  update: () => import("./update.ts"),
};

/** Called by plans of this runtime only. */
const internalCommands: Readonly<Record<string, Load>> = {
  "move-net-device": () => import("./move-net-device.ts"),
};

export const runtimeCommandNames: readonly string[] = Object.keys(commands);

export function findRuntimeCommand(name: string): Load | undefined {
  const table = Object.hasOwn(internalCommands, name) ? internalCommands : commands;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
