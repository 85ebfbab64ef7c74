import { bool, text } from "../flag-kinds.ts";
import { refuseCriu } from "./refuse-criu.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

const hidden = { hidden: true } as const;

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Bring a saved container back (needs criu; not supported)",
  flags: {
    bundle: text("", { ...hidden, short: "b" }),
    "console-socket": text("", hidden),
    "image-path": text("", hidden),
    "work-path": text("", hidden),
    "tcp-established": bool("", hidden),
    "ext-unix-sk": bool("", hidden),
    "shell-job": bool("", hidden),
    "file-locks": bool("", hidden),
    "manage-cgroups-mode": text("", hidden),
    detach: bool("", { ...hidden, short: "d" }),
    "pid-file": text("", hidden),
    "no-subreaper": bool("", hidden),
    "no-pivot": bool("", hidden),
    "empty-ns": text("", hidden),
    "auto-dedup": bool("", hidden),
    "lazy-pages": bool("", hidden),
    "lsm-profile": text("", hidden),
    "lsm-mount-context": text("", hidden),
  },
  args: { min: 1, max: 1 },

  async execute() {
    return refuseCriu("restore");
  },
});
