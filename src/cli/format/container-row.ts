import { ellipsis, humanSince, humanSize, localTimestamp, shortId } from "./human.ts";
import { formatPorts, type PortSummary } from "./ports.ts";
import type { RowFormat } from "./row-format.ts";

/** An element of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly Ports: readonly PortSummary[] | null;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly Status: string;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null;
  readonly Mounts?:
    | readonly { readonly Name?: string; readonly Source?: string; readonly Driver?: string }[]
    | null;
}

export interface ContainerRowOptions {
  readonly truncate: boolean;
  /** Adds the SIZE column to the plain table. */
  readonly size: boolean;
  readonly nowMs: number;
}

export function containerRows({ truncate, size, nowMs }: ContainerRowOptions): RowFormat<ContainerSummary> {
  const cut = (text: string, length: number) => (truncate ? ellipsis(text, length) : text);
  const columns = [
    "ID",
    "Image",
    "Command",
    "RunningFor",
    "Status",
    "Ports",
    "Names",
    ...(size ? ["Size"] : []),
  ];
  return {
    columns,
    raw: [
      ["container_id", "ID"],
      ["image", "Image"],
      ["command", "Command"],
      ["created_at", "CreatedAt"],
      ["state", "State"],
      ["status", "Status"],
      ["names", "Names"],
      ["labels", "Labels"],
      ["ports", "Ports"],
      ...(size ? ([["size", "Size"]] as const) : []),
    ],
    fields: {
      ID: { header: "CONTAINER ID", value: (row) => (truncate ? shortId(row.Id) : row.Id) },
      Names: { header: "NAMES", value: (row) => names(row, truncate) },
      Image: { header: "IMAGE", value: (row) => image(row, truncate) },
      Command: { header: "COMMAND", value: (row) => JSON.stringify(cut(row.Command, 20)) },
      CreatedAt: { header: "CREATED AT", value: (row) => localTimestamp(row.Created) },
      RunningFor: { header: "CREATED", value: (row) => humanSince(row.Created, nowMs) },
      Ports: { header: "PORTS", value: (row) => formatPorts(row.Ports ?? []) },
      State: { header: "STATE", value: (row) => row.State },
      Status: { header: "STATUS", value: (row) => row.Status },
      HealthStatus: { header: "HEALTH", value: (row) => healthOf(row.Status) },
      Size: { header: "SIZE", value: sizeText },
      Labels: { header: "LABELS", value: ({ Labels }) => pairs(Labels) },
      Label: {
        header: "LABEL",
        value:
          ({ Labels }) =>
          (name) =>
            Labels?.[String(name)] ?? "",
      },
      Mounts: {
        header: "MOUNTS",
        value: (row) =>
          mounts(row)
            .map((name) => cut(name, 15))
            .join(","),
      },
      LocalVolumes: { header: "LOCAL VOLUMES", value: (row) => String(localVolumes(row)) },
      Networks: {
        header: "NETWORKS",
        value: (row) => Object.keys(row.NetworkSettings?.Networks ?? {}).join(","),
      },
      Platform: { header: "PLATFORM", value: () => "" },
    },
  };
}

/** Names without their slash; with truncation the ones that links made (`/a/b`) are left out. */
function names({ Names }: ContainerSummary, truncate: boolean): string {
  const plain = (Names ?? []).map((name) => name.replace(/^\//, ""));
  return plain.filter((name) => !truncate || !name.includes("/")).join(",");
}

/** An image without a name is shown by its id, a digest behind a name is left out. */
function image({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === "") return "<no image>";
  if (!truncate) return Image;
  if (Image === ImageID || /^(sha256:)?[0-9a-f]{64}$/.test(Image)) return shortId(Image);
  return Image.replace(/@sha256:[0-9a-f]{64}$/, "");
}

const healthOf = (status: string) =>
  /\((healthy|unhealthy|health: starting)\)/.exec(status)?.[1]?.replace("health: ", "") ?? "";

function sizeText({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const written = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${written} (virtual ${humanSize(SizeRootFs, 3)})` : written;
}

const mounts = ({ Mounts }: ContainerSummary) =>
  (Mounts ?? []).map(({ Name, Source }) => Name || Source || "");

const localVolumes = ({ Mounts }: ContainerSummary) =>
  (Mounts ?? []).filter(({ Driver }) => Driver === "local").length;

export function pairs(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",");
}
