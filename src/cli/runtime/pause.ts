import { pauseContainer } from "../../runtime/lifecycle/pause-container.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER",
  summary: "Stop all processes of a container for a while",
  flags: {},
  args: { min: 1, max: 1 },

  async execute({ root }, { args: [id = ""] }) {
    await pauseContainer(root, id);
    return 0;
  },
});
