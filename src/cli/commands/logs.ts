import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";
import { bool, text, textWithDefault } from "../flag-kinds.ts";
import { printBody, printFrames } from "../print-body.ts";
import { parseTimestamp } from "../values/timestamp.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER",
    flags: {
      details: bool("Show the attributes that the log driver keeps"),
      follow: bool("Go on with what is written from now on", { short: "f" }),
      since: text("Only what was written after this time (2024-01-02T13:23:37Z, 42m)"),
      tail: textWithDefault("Number of lines from the end", "all", { short: "n" }),
      timestamps: bool("Show when each line was written", { short: "t" }),
      until: text("Only what was written before this time (2024-01-02T13:23:37Z, 42m)"),
    },
    args: { min: 1, max: 1 },

    async execute(context, { flags, args: [name = ""] }) {
      const response = await context.engine.open("GET", `/containers/${pathOf(name)}/logs`, {
        query: {
          stdout: true,
          stderr: true,
          follow: flags.follow,
          since: timestamp("since", flags.since, context.nowMs()),
          until: timestamp("until", flags.until, context.nowMs()),
          timestamps: flags.timestamps,
          tail: flags.tail,
          details: flags.details,
        },
      });
      // A container with a terminal has one stream, without frames.
      const framed = response.headers.get("content-type")?.endsWith("multiplexed-stream") === true;
      await (framed ? printFrames : printBody)(context, response.body);
      return 0;
    },
  });

function timestamp(flag: string, value: string | undefined, nowMs: number): string | undefined {
  if (value === undefined) return undefined;
  try {
    return parseTimestamp(value, nowMs);
  } catch (error) {
    throw new CommandError(`invalid value for "${flag}": ${error instanceof Error ? error.message : error}`);
  }
}
