import { runtimeFeatures } from "../../runtime/lifecycle/runtime-features.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "",
  summary: "Print what this runtime can do",
  flags: {},
  args: { min: 0, max: 0 },

  async execute({ print, version }) {
    print(`${JSON.stringify(runtimeFeatures(version), undefined, 2)}\n`);
    return 0;
  },
});
