import type { ImageAnatomy } from "../../wire/image-anatomy.ts";
import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, integer, text } from "../flag-kinds.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE\n\n`gantry explain IMAGE` shows what running the image does in the kernel",
    flags: {
      files: bool("Name all files, not only the largest of each layer"),
      json: bool("Print everything as JSON"),
      layer: integer("Name all files of this layer, counted from 1, and none of the others"),
      "no-trunc": bool("Show digests and instructions in full length"),
      platform: text("Platform to choose from a multi-platform image"),
      top: integer("How many files of each layer are named (default 5)"),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [image = ""] }) {
      if (flags.files && flags.top !== undefined) {
        throw new CommandError("--files names all files: it contradicts --top", { usageHint: true });
      }
      const { platformJson } = await import("../values/platform.ts");
      const { anatomyText } = await import("../format/anatomy-text.ts");
      const query = {
        files: flags.files ? "all" : flags.top,
        layer: flags.layer,
        platform: platformJson(flags.platform),
      };
      const path = `/gantry/v1/images/${pathOf(image)}/anatomy`;
      const anatomy = await context.engine.json<ImageAnatomy>("GET", path, { query });
      context.stdout.write(
        flags.json
          ? `${JSON.stringify(anatomy, null, 2)}\n`
          : anatomyText(anatomy, { truncate: !flags["no-trunc"], nowMs: context.nowMs() }),
      );
      return 0;
    },
  });
