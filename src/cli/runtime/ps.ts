import { invalidParameter, systemError } from "../../errors/platform-error.ts";
import { controllerDirectory, listProcesses } from "../../kernel/cgroupfs.ts";
import { containerDirectory } from "../../runtime/lifecycle/container-directory.ts";
import { type ContainerState, readState } from "../../runtime/lifecycle/container-state.ts";
import { textWithDefault } from "../flag-kinds.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER [PS OPTIONS]",
  summary: "List the processes of a container",
  flags: { format: textWithDefault('"table" or "json"', "table", { short: "f" }) },
  args: { min: 1 },
  interspersed: false,

  async execute({ root, print }, { flags, args: [id = "", ...psOptions] }) {
    const pids = processesOf(readState(containerDirectory(root, id)));
    if (flags.format === "json") print(`${JSON.stringify(pids)}\n`);
    else if (flags.format === "table")
      print(runPs(psOptions.length > 0 ? psOptions : ["-ef"], new Set(pids)));
    else throw invalidParameter(`invalid format option: ${flags.format}`);
    return 0;
  },
});

/** In the caller's pid namespace, ascending. */
function processesOf({ cgroup: { facts, path, directories }, init }: ContainerState): number[] {
  const directory = controllerDirectory(facts, "pids", path) ?? directories[0];
  const pids = directory === undefined ? (init === undefined ? [] : [init.pid]) : listProcesses(directory);
  return [...new Set(pids)].sort((a, b) => a - b);
}

/** The lines of ps(1) about these processes; its options are the caller's, so that the columns are. */
function runPs(options: readonly string[], pids: ReadonlySet<number>): string {
  if (Bun.which("ps") === null)
    throw systemError("ps is not installed on this host", { hint: "`ps --format json` needs no ps" });
  const result = Bun.spawnSync(["ps", ...options], { stdin: "ignore", stderr: "inherit" });
  if (!result.success) throw systemError(`ps ${options.join(" ")}: exit status ${result.exitCode}`);
  const [header = "", ...lines] = result.stdout.toString().trimEnd().split("\n");
  const column = header.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw invalidParameter(`ps ${options.join(" ")}: couldn't find PID field in ps output`);
  const shown = lines.filter((line) => pids.has(Number(line.trim().split(/\s+/)[column])));
  return `${[header, ...shown].join("\n")}\n`;
}
