/** `image explain` for people, in 100 columns. */
import type {
  BlobOutline,
  ContentChange,
  ImageAnatomy,
  LayerContents,
  LayerOutline,
} from "../../wire/image-anatomy.ts";
import { ellipsis, humanSince, humanSize, shortId } from "./human.ts";
import { imageInstruction } from "./image-instruction.ts";

export interface AnatomyTextOptions {
  /** Cut long lines to the width. */
  readonly truncate: boolean;
  readonly nowMs: number;
}

type Layer = LayerOutline & LayerContents;

const width = 100;
const signs = { added: "+", changed: "~", deleted: "-" } as const;

/** Ends with a newline. */
export function anatomyText(anatomy: ImageAnatomy, options: AnatomyTextOptions): string {
  const parts = [head(anatomy, options), layerTable(anatomy, options), wasteList(anatomy, options)];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => cut(line, options)).join("\n"))
    .join("\n\n")}\n`;
}

const cut = (line: string, { truncate }: AnatomyTextOptions): string =>
  truncate ? ellipsis(line, width) : line;
const size = (bytes: number): string => humanSize(bytes, 3);
const digest = (id: string, { truncate }: AnatomyTextOptions): string => (truncate ? shortId(id) : id);
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

function head(anatomy: ImageAnatomy, options: AnatomyTextOptions): string[] {
  const { totals, created, layers, index } = anatomy;
  const age = created === undefined ? "" : `, made ${humanSince(Date.parse(created) / 1000, options.nowMs)}`;
  const { visible, wasted, sharedBytes, unpackedBytes, blobBytes } = totals;
  const blob = ({ digest: id, mediaType, sizeBytes }: BlobOutline) =>
    `${digest(id, options)}  ${mediaType}, ${size(sizeBytes)}`;
  const facts: [string, string][] = [
    ["image", `${digest(anatomy.id, options)}  ${anatomy.platform}${age}`],
    ...anatomy.names.map((name, at): [string, string] => [at === 0 ? "names" : "", name]),
    ...(index ? [["index", blob(index)] as [string, string], ...indexEntries(index.entries, options)] : []),
    ["manifest", blob(anatomy.manifest)],
    ["config", blob(anatomy.config)],
    ["layers", `${layers.length}: ${size(blobBytes)} as blobs, ${size(unpackedBytes)} unpacked`],
    ["content", `${plural(visible.count, "file")}, ${size(visible.sizeBytes)}`],
    ["wasted", wasteSummary(wasted, unpackedBytes)],
    [
      "shared",
      sharedBytes === 0
        ? "nothing with other images"
        : `${size(sharedBytes)} with other images; ${size(unpackedBytes - sharedBytes)} for this one alone`,
    ],
  ];
  return facts.map(([name, text]) => `${name.padEnd(10)}${text}`);
}

function indexEntries(
  entries: NonNullable<ImageAnatomy["index"]>["entries"],
  options: AnatomyTextOptions,
): [string, string][] {
  const widest = Math.max(...entries.map(({ platform }) => platform.length));
  return entries.map(({ platform, digest: id, isHere, isChosen }) => [
    "",
    `  ${platform.padEnd(widest)}  ${digest(id, options)}${isChosen ? "  this one" : isHere ? "  here" : ""}`,
  ]);
}

function wasteSummary(wasted: { count: number; sizeBytes: number }, unpackedBytes: number): string {
  if (wasted.count === 0) return "nothing";
  const share = unpackedBytes === 0 ? 0 : Math.round((wasted.sizeBytes / unpackedBytes) * 100);
  return `${size(wasted.sizeBytes)} (${share}%) in ${plural(wasted.count, "file")} that later layers hide`;
}

const cell = (text: string | number, columns = 9): string => String(text).padStart(columns);

/** Instructions in their order; those without a layer have no numbers. */
function layerTable({ history, layers }: ImageAnatomy, options: AnatomyTextOptions): string[] {
  const titles = ["BLOB", "UNPACKED", "ADDED", "CHANGED", "DELETED", "WASTED"];
  const columns = titles.map((title) => Math.max(title.length, 7) + 2);
  const row = (number: string, cells: readonly (string | number)[], text: string) =>
    `${number.padEnd(3)}${columns.map((column, at) => cell(cells[at] ?? "", column)).join("")}  ${text}`;
  const lines = [row("#", titles, "INSTRUCTION")];
  for (const step of history) {
    const instruction = imageInstruction(step.instruction) || "(no history)";
    const layer = step.layer === undefined ? undefined : layers[step.layer - 1];
    if (layer === undefined) lines.push(row("", [], instruction));
    else {
      lines.push(row(String(layer.number), cellsOf(layer), instruction));
      lines.push(...layerDetails(layer, options));
    }
  }
  return lines;
}

const cellsOf = ({ blob, unpackedBytes, added, changed, deleted, wasted }: Layer) => [
  size(blob.sizeBytes),
  size(unpackedBytes),
  added.count,
  changed.count,
  deleted.count,
  wasted.count === 0 ? "" : size(wasted.sizeBytes),
];

function layerDetails(layer: Layer, options: AnatomyTextOptions): string[] {
  const notes = [
    digest(layer.blob.digest, options),
    ...(layer.isStored ? [] : ["blob not stored"]),
    ...(layer.sharedWith.length === 0 ? [] : [`shared with ${sharers(layer.sharedWith, options)}`]),
  ];
  return [`   ${notes.join(", ")}`, ...layer.changes.filter(isWorthALine(layer)).map(changeLine)];
}

function sharers(names: readonly string[], { truncate }: AnatomyTextOptions): string {
  const shown = truncate ? names.slice(0, 2) : names;
  const rest = names.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Among the largest few, what has no bytes says nothing; in a full list it belongs. */
const isWorthALine =
  ({ changes, added, changed, deleted }: Layer) =>
  ({ sizeBytes, kind }: ContentChange): boolean =>
    sizeBytes > 0 || kind === "deleted" || changes.length === added.count + changed.count + deleted.count;

function changeLine({ kind, path, type, sizeBytes, shadowedBy }: ContentChange): string {
  const shown = type === "directory" && !path.endsWith("/") ? `${path}/` : path;
  const all = kind === "deleted" && type === "directory" && path.endsWith("/") ? " (all that was in it)" : "";
  const hidden = shadowedBy === undefined ? "" : `  (hidden by layer ${shadowedBy})`;
  return `   ${cell(size(sizeBytes), 10)} ${signs[kind]} ${shown}${all}${hidden}`;
}

function wasteList({ wastedFiles }: ImageAnatomy, options: AnatomyTextOptions): string[] {
  if (wastedFiles.length === 0) return [];
  const rows = wastedFiles.map(
    ({ path, sizeBytes, layer, shadowedBy }) =>
      `${cell(size(sizeBytes), 9)}  ${`${layer} -> ${shadowedBy}`.padStart(8)}  ${path}`,
  );
  return [
    `   WASTED   LAYERS  ${options.truncate ? "LARGEST FILES" : "FILES"} THAT LATER LAYERS HIDE`,
    ...rows,
  ];
}
