import { type ContainerSummary, containerRows } from "./container-row.ts";
import { humanSize } from "./human.ts";
import { type ImageName, type ImageSummary, imageRows, splitImages } from "./image-row.ts";
import type { RowFormat } from "./row-format.ts";

/** The answer of `GET /system/df`. */
export interface DiskUsage {
  readonly LayersSize: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
}

/** Of one store: `GET /gantry/v1/storage`. */
export interface SpaceUsage {
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimableBytes: number;
}

export interface StoreUsage {
  readonly blobs: SpaceUsage;
  readonly layers: SpaceUsage;
  readonly partials: SpaceUsage;
}

/** One line of `system df`. */
export interface UsageRow extends SpaceUsage {
  readonly type: string;
}

/** Docker's four lines, and the two of what Docker has no line for. */
export function usageRows(usage: DiskUsage, stores: StoreUsage): UsageRow[] {
  const nothing = { total: 0, active: 0, bytes: 0, reclaimableBytes: 0 };
  return [
    { type: "Images", ...imageUsage(usage) },
    { type: "Containers", ...containerUsage(usage.Containers ?? []) },
    { type: "Local Volumes", ...nothing },
    { type: "Build Cache", ...nothing },
    { type: "Stored Blobs", ...stores.blobs },
    { type: "Partial Blobs", ...stores.partials },
  ];
}

/** As Docker's client counts: an image in use keeps what it does not share. */
function imageUsage({ LayersSize, Images }: DiskUsage): SpaceUsage {
  const used = (Images ?? []).filter(({ Containers }) => Containers > 0);
  const usedBytes = used.reduce((sum, { Size, SharedSize }) => sum + Size - SharedSize, 0);
  return {
    total: Images?.length ?? 0,
    active: used.length,
    bytes: LayersSize,
    reclaimableBytes: LayersSize - usedBytes,
  };
}

const activeStates = ["running", "paused", "restarting"];

function containerUsage(containers: readonly ContainerSummary[]): SpaceUsage {
  const bytesOf = (some: typeof containers) => some.reduce((sum, { SizeRw = 0 }) => sum + SizeRw, 0);
  const inactive = containers.filter(({ State }) => !activeStates.includes(State));
  return {
    total: containers.length,
    active: containers.length - inactive.length,
    bytes: bytesOf(containers),
    reclaimableBytes: bytesOf(inactive),
  };
}

export const usageFormat: RowFormat<UsageRow> = {
  columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
  fields: {
    Type: { header: "TYPE", value: ({ type }) => type },
    TotalCount: { header: "TOTAL", value: ({ total }) => String(total) },
    Active: { header: "ACTIVE", value: ({ active }) => String(active) },
    Size: { header: "SIZE", value: ({ bytes }) => humanSize(bytes) },
    Reclaimable: { header: "RECLAIMABLE", value: reclaimable },
  },
};

function reclaimable({ bytes, reclaimableBytes }: UsageRow): string {
  const text = humanSize(reclaimableBytes);
  return bytes > 0 ? `${text} (${Math.trunc((reclaimableBytes * 100) / bytes)}%)` : text;
}

/** `system df -v`: an image has one line, under its first name. */
export function imageUsageRows(images: readonly ImageSummary[]): ImageName[] {
  return images.flatMap((image) => splitImages([image], false).slice(0, 1));
}

export function imageUsageFormat(nowMs: number): RowFormat<ImageName> {
  const { fields } = imageRows({ truncate: true, digest: false, nowMs });
  const columns = [
    "Repository",
    "Tag",
    "ID",
    "CreatedSince",
    "Size",
    "SharedSize",
    "UniqueSize",
    "Containers",
  ];
  return { fields, columns };
}

export function containerUsageFormat(nowMs: number): RowFormat<ContainerSummary> {
  const { fields } = containerRows({ truncate: true, size: true, nowMs });
  const Size = { header: "SIZE", value: ({ SizeRw = 0 }: ContainerSummary) => humanSize(SizeRw, 3) };
  return {
    columns: ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"],
    fields: { ...fields, Size },
  };
}
