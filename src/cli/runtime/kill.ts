import { killContainer } from "../../runtime/lifecycle/kill-container.ts";
import { signalNumber } from "../../runtime/lifecycle/signals.ts";
import { bool } from "../flag-kinds.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER [SIGNAL]",
  summary: "Send a signal (default SIGTERM) to the first process of a container",
  flags: { all: bool("Send it to all processes, if they share a pid namespace with others", { short: "a" }) },
  args: { min: 1, max: 2 },

  async execute({ root }, { flags, args: [id = "", signal = "SIGTERM"] }) {
    killContainer(root, id, signalNumber(signal), flags.all);
    return 0;
  },
});
