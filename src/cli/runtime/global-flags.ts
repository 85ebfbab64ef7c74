import { bool, text, textWithDefault } from "../flag-kinds.ts";

/** Before the command. */
export const globalFlags = {
  criu: textWithDefault("criu for checkpoint and restore: a path, or a name that is in PATH", "criu"),
  debug: bool("Log what is being done"),
  log: text("File that gets the log, beside standard error"),
  "log-format": textWithDefault('Format of the log file: "text" or "json"', "text"),
  root: text("Directory that keeps the state of containers (default /run/gantry-runtime)"),
  "systemd-cgroup": bool("Let systemd make the cgroups"),
  rootless: textWithDefault('Whether the caller is no root: "true", "false" or "auto"', "auto"),
  version: bool("Print the version and quit", { short: "v" }),
};
