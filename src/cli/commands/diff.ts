import { defineCommand } from "../command.ts";
import { pathOf } from "../engine-client.ts";

interface Change {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

const letters = ["C", "A", "D"] as const;

export const command = () =>
  defineCommand({
    usage: "CONTAINER",
    flags: {},
    args: { min: 1, max: 1 },

    async execute(context, { args: [container = ""] }) {
      const changes = await context.engine.json<Change[] | null>(
        "GET",
        `/containers/${pathOf(container)}/changes`,
      );
      for (const { Path, Kind } of changes ?? []) context.stdout.write(`${letters[Kind]} ${Path}\n`);
      return 0;
    },
  });
