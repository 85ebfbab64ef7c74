import { deleteContainer } from "../../runtime/lifecycle/delete-container.ts";
import { bool } from "../flag-kinds.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Remove a stopped container",
  flags: { force: bool("Kill it first; one that does not exist is fine", { short: "f" }) },
  args: { min: 1, max: 1 },

  async execute({ root, log }, { flags, args: [id = ""] }) {
    await deleteContainer(root, id, { force: flags.force, warn: (message) => log.warn(message) });
    return 0;
  },
});
