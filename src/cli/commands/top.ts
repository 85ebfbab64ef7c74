import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";
import { alignColumns } from "../format/tabwriter.ts";

interface TopAnswer {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

export const command = () =>
  defineCommand({
    usage: "CONTAINER [ps OPTIONS]",
    flags: {},
    args: { min: 1 },
    interspersed: false,

    async execute(context, { args: [container = "", ...psOptions] }) {
      const { Titles, Processes } = await context.engine.json<TopAnswer>(
        "GET",
        `/containers/${pathOf(container)}/top`,
        { query: { ps_args: psOptions.join(" ") } },
      );
      const lines = [Titles, ...(Processes ?? [])].map((cells) => cells.join("\t"));
      context.stdout.write(`${alignColumns(lines.join("\n"), 20)}\n`);
      return 0;
    },
  });
