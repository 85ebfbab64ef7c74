import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../../errors/platform-error.ts";
import { fileError } from "../../kernel/cgroup-files.ts";
import { exampleSpec } from "../../runtime/lifecycle/example-spec.ts";
import { bool, textWithDefault } from "../flag-kinds.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS]",
  summary: "Write a config.json to start from",
  flags: {
    bundle: textWithDefault("Directory of the bundle", ".", { short: "b" }),
    rootless: bool("For a caller who is not root"),
  },
  args: { min: 0, max: 0 },

  async execute(_context, { flags }) {
    const path = join(flags.bundle, "config.json");
    const owner = flags.rootless
      ? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
      : undefined;
    const text = `${JSON.stringify(exampleSpec(owner), undefined, 2)}\n`;
    try {
      writeFileSync(path, text, { flag: "wx", mode: 0o666 });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST")
        throw conflict("file config.json exists. Remove it first");
      throw fileError(error, `write ${path}`);
    }
    return 0;
  },
});
