import { checkpointContainer, parsePageServer } from "../../runtime/lifecycle/checkpoint-container.ts";
import { bool, integer, text } from "../flag-kinds.ts";
import { criuFlags, criuSettings } from "./criu-flags.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Save a running container into files, with criu",
  flags: {
    ...criuFlags,
    "parent-path": text("Images of an earlier --pre-dump, relative to --image-path"),
    "leave-running": bool("Let the container go on"),
    "tcp-skip-in-flight": bool("Leave out TCP connections that are being made"),
    "link-remap": bool("Allow files that were deleted while they are open"),
    "status-fd": integer("Descriptor that gets a byte once --lazy-pages serves memory"),
    "page-server": text("ADDRESS:PORT of a page server that takes the memory"),
    "pre-dump": bool("Save the memory only, and let the container go on"),
  },
  args: { min: 1, max: 1 },
  failure: "% checkpoint failed",

  async execute({ root, env, criu, log, host }, { flags, args: [id = ""] }) {
    const pageServer = flags["page-server"];
    const request = {
      ...criuSettings(flags),
      root,
      id,
      env,
      criu,
      parentPath: flags["parent-path"],
      leaveRunning: flags["leave-running"],
      tcpSkipInFlight: flags["tcp-skip-in-flight"],
      linkRemap: flags["link-remap"],
      pageServer: pageServer === undefined ? undefined : parsePageServer(pageServer),
      statusFd: flags["status-fd"],
      preDump: flags["pre-dump"],
    };
    await checkpointContainer(request, { host: await host(), warn: (message) => log.warn(message) });
    return 0;
  },
});
