/** `images --tree`: what each name stands for, and which platforms of it are on this machine. */
import { formatPlatform } from "../../formats/platform.ts";
import { humanSize, shortId } from "./human.ts";
import type { ImageSummary, ManifestSummary } from "./image-row.ts";
import { alignColumns } from "./tabwriter.ts";

interface TreeRow {
  readonly name: string;
  readonly id: string;
  readonly disk: string;
  readonly content: string;
  readonly inUse: string;
}

/** Sorted by name; ends with a newline. */
export function imageTree(
  images: readonly ImageSummary[],
  { truncate }: { readonly truncate: boolean },
): string {
  const id = (full: string) => (truncate ? shortId(full) : full);
  const named = images
    .filter((image) => !isPartOfAnother(image, images))
    .map((image) => ({ image, names: namesOf(image) }))
    .sort((a, b) => ((a.names[0] ?? "~") < (b.names[0] ?? "~") ? -1 : 1));
  const rows = named.flatMap(({ image, names }): TreeRow[] => {
    const manifests = (image.Manifests ?? []).filter(({ Kind }) => Kind === "image");
    const total = sum(manifests, ({ Size }) => Size.Total);
    const content = sum(manifests, ({ Size }) => Size.Content);
    const inUse = manifests.some(isInUse);
    const head = { id: id(image.Id), disk: humanSize(total, 3), content: humanSize(content, 3) };
    return [
      { name: names[0] ?? "<untagged>", ...head, inUse: mark(inUse) },
      ...names.slice(1).map((name) => ({ name, id: "", disk: "", content: "", inUse: "" })),
      ...manifests.map((manifest, at) => platformRow(manifest, id, at === manifests.length - 1)),
    ];
  });
  const lines = rows.map(({ name, id: own, disk, content, inUse }) =>
    [name, own, disk, content, inUse].join("\t"),
  );
  const table = alignColumns(["IMAGE\tID\tDISK USAGE\tCONTENT SIZE\tIN USE", ...lines].join("\n"));
  return `${table.replace(/ +$/gm, "")}\n`;
}

function platformRow(manifest: ManifestSummary, id: (full: string) => string, isLast: boolean): TreeRow {
  const { ImageData, ID, Size, Available } = manifest;
  const platform = ImageData === undefined ? "unknown" : formatPlatform(ImageData.Platform);
  return {
    name: `${isLast ? "└─" : "├─"} ${platform}`,
    id: id(ID),
    disk: Available ? humanSize(Size.Total, 3) : "not here",
    content: Available ? humanSize(Size.Content, 3) : "",
    inUse: mark(isInUse(manifest)),
  };
}

/** An image without a name that stands below the name of another one, as one of its platforms. */
function isPartOfAnother(image: ImageSummary, images: readonly ImageSummary[]): boolean {
  if (namesOf(image).length > 0) return false;
  const own = image.Manifests?.find(({ Available }) => Available)?.ID;
  return images.some(
    (other) => other !== image && namesOf(other).length > 0 && other.Manifests?.some(({ ID }) => ID === own),
  );
}

const namesOf = ({ RepoTags, RepoDigests }: ImageSummary): readonly string[] => {
  const tags = RepoTags ?? [];
  return tags.length > 0 ? tags : (RepoDigests ?? []);
};
const isInUse = ({ ImageData }: ManifestSummary): boolean => (ImageData?.Containers ?? []).length > 0;
const mark = (inUse: boolean): string => (inUse ? "yes" : "");
const sum = <T>(items: readonly T[], sizeOf: (item: T) => number): number =>
  items.reduce((total, item) => total + sizeOf(item), 0);
