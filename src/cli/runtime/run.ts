import {
  type CreatedContainer,
  type CreateRequest,
  createContainer,
} from "../../runtime/lifecycle/create-container.ts";
import { deleteContainer } from "../../runtime/lifecycle/delete-container.ts";
import { finishRun } from "../../runtime/lifecycle/finish-run.ts";
import { bool } from "../flag-kinds.ts";
import { Console } from "./console.ts";
import { createFlags, createRequest } from "./create-flags.ts";
import { adoptOrphans, ForwardedSignals, waitInForeground } from "./foreground.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Make a container and run its program",
  flags: {
    ...createFlags,
    detach: bool("Leave it alone once it runs", { short: "d" }),
    keep: bool("Do not delete it when its program ends"),
    "no-subreaper": bool("Leave orphans of the container to the parent of this process"),
  },
  args: { min: 1, max: 1 },
  failure: "% run failed",

  async execute(context, { flags, args: [id = ""] }) {
    const request = { ...createRequest(context, id, flags), mode: "run", detached: flags.detach } as const;
    if (!flags.detach && !flags["no-subreaper"]) adoptOrphans();
    if (flags.detach) return runDetached(context, request);
    return runInForeground(context, request, flags.keep);
  },
});

async function create(context: RuntimeContext, request: CreateRequest): Promise<CreatedContainer> {
  return createContainer(request, {
    launcher: await context.launcher(),
    host: await context.host(),
    warn: (message) => context.log.warn(message),
  });
}

async function runDetached(context: RuntimeContext, request: CreateRequest): Promise<number> {
  const container = await create(context, request);
  try {
    finishRun(container);
  } catch (error) {
    await remove(context, request.id);
    throw error;
  }
  container.process.exitCode();
  return 0;
}

async function runInForeground(
  context: RuntimeContext,
  request: CreateRequest,
  keep: boolean,
): Promise<number> {
  using signals = new ForwardedSignals();
  const console = Console.open();
  try {
    const container = await create(context, { ...request, ownConsole: console.peer });
    let removed = false;
    try {
      finishRun(container);
      const terminal = container.spec.process?.terminal === true;
      if (terminal) console.connect();
      const exitCode = await waitInForeground(container.process, signals, terminal ? console : undefined);
      removed = keep;
      return exitCode;
    } finally {
      if (!removed) await remove(context, request.id);
    }
  } finally {
    console.close();
  }
}

export async function remove(context: RuntimeContext, id: string): Promise<void> {
  if (context.deleteNatively?.(context.root, id)) return;
  await deleteContainer(context.root, id, { force: true, warn: (message) => context.log.warn(message) });
}
