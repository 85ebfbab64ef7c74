import type {
  Amount,
  ContentChange,
  ImageAnatomy,
  ImageOutline,
  LayerContents,
  LayerOutline,
  WastedFile,
} from "../../wire/image-anatomy.ts";
import type { LayerFiles } from "../snapshots/contract.ts";
import type { LayerComparison, LayerStack } from "./compare-layers.ts";

export interface AnatomyRequest {
  readonly outline: ImageOutline;
  /** Of each layer, base first. */
  readonly files: readonly LayerFiles[];
  /** How many names are listed of each layer, and how many wasted ones of the image. */
  readonly limit: number;
  /** List all names of this one, counted from 1, and none of the others. */
  readonly layer?: number;
}

/** Puts together what the documents of an image say and what its layers hold. Pure. */
export function describeAnatomy(
  { outline, limit, layer: wanted }: AnatomyRequest,
  stack: Pick<LayerStack, "comparisons" | "visible">,
): ImageAnatomy {
  const limitOf = (number: number) =>
    wanted === undefined ? limit : number === wanted ? Number.POSITIVE_INFINITY : 0;
  const layers = outline.layers.flatMap((layer, index) => {
    const comparison = stack.comparisons[index];
    return comparison ? [{ ...layer, ...contentsOf(comparison, limitOf(layer.number)) }] : [];
  });
  return {
    ...outline,
    layers,
    wastedFiles: wastedFiles(stack.comparisons).slice(0, limit),
    totals: {
      blobBytes: sum(layers, ({ blob }) => blob.sizeBytes),
      unpackedBytes: sum(layers, ({ unpackedBytes }) => unpackedBytes),
      sharedBytes: sum(layers.filter(isShared), ({ unpackedBytes }) => unpackedBytes),
      visible: stack.visible(),
      wasted: {
        count: sum(layers, ({ wasted }) => wasted.count),
        sizeBytes: sum(layers, ({ wasted }) => wasted.sizeBytes),
      },
    },
  };
}

function contentsOf({ changes, wasted }: LayerComparison, limit: number): LayerContents {
  return {
    added: amountOf(changes, "added"),
    changed: amountOf(changes, "changed"),
    deleted: amountOf(changes, "deleted"),
    wasted: { ...wasted },
    changes: changes.toSorted(largestFirst).slice(0, limit),
  };
}

function amountOf(changes: readonly ContentChange[], kind: ContentChange["kind"]): Amount {
  const some = changes.filter((change) => change.kind === kind);
  return { count: some.length, sizeBytes: sum(some, ({ sizeBytes }) => sizeBytes) };
}

function wastedFiles(comparisons: readonly LayerComparison[]): WastedFile[] {
  return comparisons
    .flatMap(({ changes }, index) =>
      changes.flatMap(({ path, sizeBytes, shadowedBy }) =>
        shadowedBy === undefined || sizeBytes === 0
          ? []
          : [{ path, sizeBytes, layer: index + 1, shadowedBy }],
      ),
    )
    .sort(largestFirst);
}

const isShared = ({ sharedWith }: LayerOutline): boolean => sharedWith.length > 0;

const sum = <T>(items: readonly T[], sizeOf: (item: T) => number): number =>
  items.reduce((total, item) => total + sizeOf(item), 0);

function largestFirst(
  a: { readonly sizeBytes: number; readonly path: string },
  b: { readonly sizeBytes: number; readonly path: string },
): number {
  return b.sizeBytes - a.sizeBytes || (a.path < b.path ? -1 : 1);
}
