import { bool, integer, list, text } from "../flag-kinds.ts";

export const execFlags = {
  "additional-gids": list("Further groups of the process", { short: "g" }),
  apparmor: text("AppArmor profile of the process"),
  cap: list("Capability beside those of the container's own process", { short: "c" }),
  cgroup: list("Join this cgroup below the container's: [CONTROLLERS:]PATH"),
  "console-socket": text("Unix socket that receives the master of the pty"),
  cwd: text("Working directory"),
  detach: bool("Leave the process alone once it runs", { short: "d" }),
  env: list("Set an environment variable (NAME=VALUE)", { short: "e" }),
  "ignore-paused": bool("Allow it in a paused container"),
  "no-new-privs": bool("The process cannot gain privileges"),
  "pid-file": text("File that receives the pid"),
  "pidfd-socket": text("Unix socket that receives a pidfd of the process"),
  "preserve-fds": integer("Number of further descriptors that the process inherits"),
  process: text("File with the process, as in config.json", { short: "p" }),
  "process-label": text("SELinux label of the process"),
  tty: bool("Give it a terminal", { short: "t" }),
  user: text("UID[:GID] of the process", { short: "u" }),
};
