import { invalidParameter } from "../../errors/platform-error.ts";
import { containerDirectory, listContainerIds } from "../../runtime/lifecycle/container-directory.ts";
import { tryReadState } from "../../runtime/lifecycle/container-state.ts";
import { statusOf } from "../../runtime/lifecycle/container-status.ts";
import { type OciState, ociState } from "../../runtime/lifecycle/oci-state.ts";
import { userName } from "../../runtime/lifecycle/user-name.ts";
import { bool, textWithDefault } from "../flag-kinds.ts";
import { alignColumns } from "../format/tabwriter.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS]",
  summary: "List the containers of this --root",
  flags: {
    format: textWithDefault('"table" or "json"', "table", { short: "f" }),
    quiet: bool("Print their IDs only", { short: "q" }),
  },
  args: { min: 0, max: 0 },

  async execute(context, { flags }) {
    if (flags.format !== "table" && flags.format !== "json")
      throw invalidParameter(`invalid format option: ${flags.format}`);
    const states = containerStates(context);
    if (flags.quiet) context.print(states.map(({ id }) => `${id}\n`).join(""));
    else if (flags.format === "json") context.print(`${JSON.stringify(states.length > 0 ? states : null)}\n`);
    else context.print(`${table(states)}\n`);
    return 0;
  },
});

function containerStates({ root, log }: RuntimeContext): OciState[] {
  return listContainerIds(root).flatMap((id) => {
    try {
      const directory = containerDirectory(root, id);
      const state = tryReadState(directory);
      return state === undefined
        ? []
        : [ociState(state, statusOf(directory, state), userName(state.ownerUid))];
    } catch (error) {
      // One damaged container does not hide the others; one that goes at this moment is gone.
      log.warn(`container ${id}: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  });
}

function table(states: readonly OciState[]): string {
  const rows = states.map(({ id, pid, status, bundle, created, owner }) =>
    [id, pid, status, bundle, created, owner].join("\t"),
  );
  return alignColumns(["ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER", ...rows].join("\n"));
}
