import type { CommandContext } from "../context.ts";
import { encodeFilters } from "../flag-kinds.ts";

type FilterPairs = readonly (readonly [string, string])[];

/** One prune request after its answer is printed. Out: bytes. */
export async function pruneContainers(context: CommandContext, filter: FilterPairs): Promise<number> {
  const { ContainersDeleted, SpaceReclaimed } = await context.engine.json<{
    ContainersDeleted: readonly string[] | null;
    SpaceReclaimed: number;
  }>("POST", "/containers/prune", { query: { filters: encodeFilters(filter) } });
  printList(context, "Deleted Containers:", ContainersDeleted);
  return SpaceReclaimed;
}

export async function pruneNetworks(context: CommandContext, filter: FilterPairs): Promise<number> {
  const { NetworksDeleted } = await context.engine.json<{ NetworksDeleted: readonly string[] | null }>(
    "POST",
    "/networks/prune",
    { query: { filters: encodeFilters(filter) } },
  );
  printList(context, "Deleted Networks:", NetworksDeleted);
  return 0;
}

export async function pruneVolumes(context: CommandContext, filter: FilterPairs): Promise<number> {
  const { VolumesDeleted, SpaceReclaimed } = await context.engine.json<{
    VolumesDeleted: readonly string[] | null;
    SpaceReclaimed: number;
  }>("POST", "/volumes/prune", { query: { filters: encodeFilters(filter) } });
  printList(context, "Deleted Volumes:", VolumesDeleted);
  return SpaceReclaimed;
}

export async function pruneImages(context: CommandContext, filter: FilterPairs): Promise<number> {
  const { ImagesDeleted, SpaceReclaimed } = await context.engine.json<{
    ImagesDeleted: readonly { readonly Untagged?: string; readonly Deleted?: string }[] | null;
    SpaceReclaimed: number;
  }>("POST", "/images/prune", { query: { filters: encodeFilters(filter) } });
  const lines = ImagesDeleted?.map(({ Untagged, Deleted }) =>
    Deleted === undefined ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
  );
  printList(context, "Deleted Images:", lines ?? null);
  return SpaceReclaimed;
}

/** The filters of images: `dangling` says whether those with a tag stay, unless the user says it. */
export const imageFilters = (filter: FilterPairs, all: boolean): FilterPairs =>
  filter.some(([key]) => key === "dangling") && !all ? filter : [...filter, ["dangling", String(!all)]];

function printList(context: CommandContext, title: string, lines: readonly string[] | null): void {
  if (lines !== null && lines.length > 0) context.stdout.write(`${title}\n${lines.join("\n")}\n\n`);
}
