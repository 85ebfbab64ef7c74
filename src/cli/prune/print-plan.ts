import type { CommandContext } from "../context.ts";
import { encodeFilters } from "../flag-kinds.ts";
import { humanSize, shortId } from "../format/human.ts";
import type { RowFormat } from "../format/row-format.ts";
import { formatRows } from "../format/rows.ts";

type FilterPairs = readonly (readonly [string, string])[];

interface PrunePlan {
  readonly containers: readonly { readonly id: string; readonly name: string; readonly status: string }[];
  readonly images: readonly { readonly id: string; readonly names: readonly string[] }[];
  readonly objects: readonly {
    readonly kind: string;
    readonly name: string;
    readonly bytes: number;
    readonly why: string;
  }[];
}

interface PlanLine {
  readonly what: string;
  readonly name: string;
  readonly size: string;
  readonly why: string;
}

const lineFormat: RowFormat<PlanLine> = {
  columns: ["What", "Name", "Size", "Why"],
  fields: {
    What: { header: "WHAT", value: ({ what }) => what },
    Name: { header: "NAME", value: ({ name }) => name },
    Size: { header: "SIZE", value: ({ size }) => size },
    Why: { header: "WHY", value: ({ why }) => why },
  },
};

/** `--dry-run`: what the same prune would remove now. Pairs of filters of what is pruned, undefined for what is not. */
export async function printPrunePlan(
  context: CommandContext,
  wanted: { readonly containers?: FilterPairs; readonly images?: FilterPairs },
): Promise<void> {
  const query = Object.fromEntries(
    Object.entries(wanted).map(([kind, pairs]) => [kind, encodeFilters(pairs) ?? "{}"]),
  );
  const plan = await context.engine.json<PrunePlan>("GET", "/gantry/v1/prune", { query });
  const lines = planLines(plan);
  if (lines.length > 0) context.stdout.write(`${await formatRows(lineFormat, lines, undefined)}\n`);
  const bytes = plan.objects.reduce((sum, object) => sum + object.bytes, 0);
  context.stdout.write(`Nothing was removed. Space that would be reclaimed: ${humanSize(bytes)}\n`);
}

const kindNames: Readonly<Record<string, string>> = { snapshot: "writable top", partial: "partial blob" };

function planLines({ containers, images, objects }: PrunePlan): PlanLine[] {
  return [
    ...containers.map(({ name, status }) => ({
      what: "container",
      name,
      size: "-",
      why: `it is ${status}`,
    })),
    ...images.map(({ id, names }) => ({
      what: "image",
      name: names.length > 0 ? names.join(", ") : shortId(id),
      size: "-",
      why: `no container uses it${names.length > 0 ? "" : ", and it has no tag"}`,
    })),
    ...objects.map(({ kind, name, bytes, why }) => ({
      what: kindNames[kind] ?? kind,
      name: shortId(name),
      size: humanSize(bytes),
      why,
    })),
  ];
}
