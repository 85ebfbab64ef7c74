import { invalidParameter } from "../../errors/platform-error.ts";
import { type CgroupMode, cgroupModes } from "../../runtime/criu/criu-messages.ts";
import type { CriuSettings } from "../../runtime/criu/criu-settings.ts";
import { bool, list, text, textWithDefault } from "../flag-kinds.ts";
import type { FlagValues } from "../flags.ts";

/** What `checkpoint` and `restore` have in common. */
export const criuFlags = {
  "image-path": textWithDefault("Directory of the images", "checkpoint"),
  "work-path": text("Directory of criu's log and work files (default: that of the images)"),
  "tcp-established": bool("Keep open TCP connections"),
  "ext-unix-sk": bool("Allow unix sockets that lead out of the container"),
  "shell-job": bool("Allow processes in a session and on a terminal of the caller"),
  "file-locks": bool("Keep file locks"),
  "lazy-pages": bool("Bring memory over when it is touched (userfaultfd)"),
  "manage-cgroups-mode": textWithDefault(
    'How cgroups are restored: "soft", "full", "strict" or "ignore"',
    "soft",
  ),
  "empty-ns": list("Make this namespace anew, without its content: network", { check: checkEmptyNamespace }),
  "auto-dedup": bool("Drop pages of earlier images that are in later ones, too"),
};

/** Errors: InvalidParameter. */
export function criuSettings(flags: FlagValues<typeof criuFlags>): CriuSettings {
  return {
    imagePath: flags["image-path"],
    workPath: flags["work-path"],
    tcpEstablished: flags["tcp-established"],
    extUnixSk: flags["ext-unix-sk"],
    shellJob: flags["shell-job"],
    fileLocks: flags["file-locks"],
    lazyPages: flags["lazy-pages"],
    cgroupMode: parseCgroupMode(flags["manage-cgroups-mode"]),
    emptyNetwork: flags["empty-ns"].length > 0,
    autoDedup: flags["auto-dedup"],
  };
}

function parseCgroupMode(text: string): CgroupMode {
  const modes = Object.keys(cgroupModes) as CgroupMode[];
  const found = modes.find((mode) => mode === text);
  if (found === undefined)
    throw invalidParameter(
      `invalid value ${JSON.stringify(text)} for --manage-cgroups-mode: ${modes.join(", ")}`,
    );
  return found;
}

function checkEmptyNamespace(name: string): string {
  if (name !== "network") throw invalidParameter(`--empty-ns: ${name} is not "network"`);
  return name;
}
