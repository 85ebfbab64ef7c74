import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { RootForm } from "../snapshots/contract.ts";
import { giveTurn } from "../snapshots/give-turn.ts";
import type { UnpackLimits } from "../unpack/contract.ts";
import { LayerTree } from "../unpack/layer-tree.ts";
import { LayerWriter } from "../unpack/layer-writer.ts";
import type { WhiteoutForm } from "../unpack/whiteout.ts";
import { XattrWriter } from "../unpack/xattr-writer.ts";
import { copiedEntries } from "./copied-entries.ts";
import { layerEntries } from "./layer-entries.ts";

export interface LayerCapture {
  /** Names the layer in errors. */
  readonly name: string;
  readonly upper: string;
  /** The image's layers below, top first. */
  readonly lower: readonly string[];
  /** Relative paths of what the engine made in `upper`. */
  readonly skipped: readonly ByteString[];
  readonly form: RootForm;
  /** Empty, on any file system. */
  readonly directory: string;
  readonly whiteouts: WhiteoutForm;
  readonly limits: UnpackLimits;
}

export interface CapturedLayer {
  /** Of all regular files. */
  readonly sizeBytes: number;
  readonly entries: number;
  readonly warnings: readonly string[];
}

/**
 * Copies a container's top into a directory that is the layer's unpacked form: what anyone gets who unpacks the layer,
 * since it is the same code that writes it. For a Worker. Errors: as layerEntries and LayerUnpacker.
 */
export async function captureLayer(capture: LayerCapture, signal: AbortSignal): Promise<CapturedLayer> {
  const { name, upper, lower, form, directory, whiteouts, limits } = capture;
  const tree = new LayerTree(directory, name, limits, whiteouts);
  const xattrs = new XattrWriter(name);
  const writer = new LayerWriter(name, tree, xattrs, limits);
  try {
    const top = { upper, lower, skipped: new Set(capture.skipped) };
    const entries = form === "copy" ? copiedEntries(top, signal) : layerEntries({ ...top, form }, signal);
    for await (const { entry, content } of entries) {
      writer.entry(entry);
      for await (const piece of content ?? []) {
        await giveTurn(signal);
        writer.content(piece);
      }
      writer.entryEnd();
    }
    writer.finish();
    return { sizeBytes: writer.sizeBytes, entries: tree.entries, warnings: xattrs.warnings };
  } finally {
    writer.close();
    tree.close();
  }
}
