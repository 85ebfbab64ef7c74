import { readJsonLines } from "../../wire/json-lines.ts";
import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { encodeFilters, filters, text } from "../flag-kinds.ts";
import { type EngineEvent, eventLine, parseEvent } from "../format/event-line.ts";
import { templateFor } from "../format/template-for.ts";
import { parseTimestamp } from "../values/timestamp.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: {
      filter: filters(),
      format: text('"json", or a Go template'),
      since: text("Begin with what happened after this time"),
      until: text("End with what happened before this time"),
    },
    args: { min: 0, max: 0 },

    async execute(context, { flags }) {
      const line = await lineFormat(flags.format);
      const response = await context.engine.open("GET", "/events", {
        query: {
          since: timestamp(flags.since, context.nowMs()),
          until: timestamp(flags.until, context.nowMs()),
          filters: encodeFilters(flags.filter),
        },
      });
      // The engine's events have the documented shape; the formats look only at what they know.
      for await (const event of readJsonLines(response.body, parseEvent))
        await context.stdout.write(line(event as EngineEvent));
      return 0;
    },
  });

async function lineFormat(format: string | undefined): Promise<(event: EngineEvent) => string> {
  const template = await templateFor(format);
  if (template !== undefined) return (event) => `${template(event)}\n`;
  if (format === "json")
    return (event) => `${JSON.stringify(event).replace(/("timeNano":)"(\d+)"/, "$1$2")}\n`;
  return (event) => `${eventLine(event)}\n`;
}

function timestamp(value: string | undefined, nowMs: number): string | undefined {
  if (value === undefined) return undefined;
  try {
    return parseTimestamp(value, nowMs);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}
