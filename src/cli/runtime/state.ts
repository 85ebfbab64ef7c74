import { containerDirectory } from "../../runtime/lifecycle/container-directory.ts";
import { readState } from "../../runtime/lifecycle/container-state.ts";
import { statusOf } from "../../runtime/lifecycle/container-status.ts";
import { ociState } from "../../runtime/lifecycle/oci-state.ts";
import { userName } from "../../runtime/lifecycle/user-name.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER",
  summary: "Print the state of a container",
  flags: {},
  args: { min: 1, max: 1 },

  async execute({ root, print }, { args: [id = ""] }) {
    const directory = containerDirectory(root, id);
    const state = readState(directory);
    const shown = ociState(state, statusOf(directory, state), userName(state.ownerUid));
    print(`${JSON.stringify(shown, undefined, 2)}\n`);
    return 0;
  },
});
