import { bool, text } from "../flag-kinds.ts";
import { refuseCriu } from "./refuse-criu.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

const hidden = { hidden: true } as const;

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Save a running container (needs criu; not supported)",
  flags: {
    "image-path": text("", hidden),
    "work-path": text("", hidden),
    "parent-path": text("", hidden),
    "leave-running": bool("", hidden),
    "tcp-established": bool("", hidden),
    "tcp-skip-in-flight": bool("", hidden),
    "link-remap": bool("", hidden),
    "ext-unix-sk": bool("", hidden),
    "shell-job": bool("", hidden),
    "lazy-pages": bool("", hidden),
    "status-fd": text("", hidden),
    "page-server": text("", hidden),
    "file-locks": bool("", hidden),
    "pre-dump": bool("", hidden),
    "manage-cgroups-mode": text("", hidden),
    "empty-ns": text("", hidden),
    "auto-dedup": bool("", hidden),
  },
  args: { min: 1, max: 1 },

  async execute() {
    return refuseCriu("checkpoint");
  },
});
