import { notImplemented } from "../../errors/platform-error.ts";
import type { CreatedContainer } from "../../runtime/lifecycle/create-container.ts";
import { type RestoreRequest, restoreContainer } from "../../runtime/lifecycle/restore-container.ts";
import { bool, text } from "../flag-kinds.ts";
import { Console } from "./console.ts";
import { createFlags, createRequest } from "./create-flags.ts";
import { criuFlags, criuSettings } from "./criu-flags.ts";
import { adoptOrphans, ForwardedSignals, waitInForeground } from "./foreground.ts";
import { remove } from "./run.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

const { bundle, "console-socket": consoleSocket, "pid-file": pidFile, "no-pivot": noPivot } = createFlags;

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Bring a container back from what `checkpoint` saved",
  flags: {
    ...criuFlags,
    bundle,
    "console-socket": consoleSocket,
    "pid-file": pidFile,
    "no-pivot": noPivot,
    detach: bool("Leave it alone once it runs", { short: "d" }),
    "no-subreaper": bool("Leave orphans of the container to the parent of this process"),
    "lsm-profile": text("TYPE:LABEL of AppArmor or SELinux in place of the saved one"),
    "lsm-mount-context": text("SELinux context of mounts in place of the saved one"),
  },
  args: { min: 1, max: 1 },
  failure: "% restore failed",

  async execute(context, { flags, args: [id = ""] }) {
    if (flags["no-pivot"])
      throw notImplemented("--no-pivot: criu restores a root by pivot_root only", {
        hint: "leave it away; the root must not be on a ramdisk",
      });
    const none = { "preserve-fds": undefined, "no-new-keyring": false, "pidfd-socket": undefined };
    const create = createRequest({ ...context, env: {} }, id, { ...flags, ...none });
    const request = {
      ...criuSettings(flags),
      create: { ...create, mode: "run", detached: flags.detach } as const,
      env: context.env,
      criu: context.criu,
      lsmProfile: flags["lsm-profile"],
      lsmMountContext: flags["lsm-mount-context"],
    };
    if (!flags.detach && !flags["no-subreaper"]) adoptOrphans();
    if (flags.detach) {
      await restore(context, request);
      return 0;
    }
    return restoreInForeground(context, request);
  },
});

async function restore(context: RuntimeContext, request: RestoreRequest): Promise<CreatedContainer> {
  const parts = {
    launcher: await context.launcher(),
    host: await context.host(),
    warn: (message: string) => context.log.warn(message),
  };
  return restoreContainer(request, parts);
}

async function restoreInForeground(context: RuntimeContext, request: RestoreRequest): Promise<number> {
  using signals = new ForwardedSignals();
  const console = Console.open();
  try {
    const create = { ...request.create, ownConsole: console.peer };
    const { process, spec } = await restore(context, { ...request, create });
    try {
      const terminal = spec.process?.terminal === true;
      if (terminal) console.connect();
      return await waitInForeground(process, signals, terminal ? console : undefined);
    } finally {
      await remove(context, request.create.id);
    }
  } finally {
    console.close();
  }
}
