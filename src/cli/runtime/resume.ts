import { resumeContainer } from "../../runtime/lifecycle/pause-container.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER",
  summary: "Let the processes of a paused container go on",
  flags: {},
  args: { min: 1, max: 1 },

  async execute({ root }, { args: [id = ""] }) {
    await resumeContainer(root, id);
    return 0;
  },
});
