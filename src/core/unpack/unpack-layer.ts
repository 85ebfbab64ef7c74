import { invalidParameter, PlatformError } from "../../errors/platform-error.ts";
import { createDigester } from "../../formats/digest.ts";
import { TarParser } from "../../formats/tar/tar-parser.ts";
import type { Digest } from "../content/contract.ts";
import type { UnpackedLayer, UnpackLimits } from "./contract.ts";
import { decompress } from "./decompress.ts";
import { overLimit, tooLarge } from "./layer-error.ts";
import { LayerTree } from "./layer-tree.ts";
import { LayerWriter } from "./layer-writer.ts";
import type { WhiteoutForm } from "./whiteout.ts";
import { XattrWriter } from "./xattr-writer.ts";

export interface LayerToUnpack {
  readonly layer: Digest;
  readonly directory: string;
  readonly whiteouts: WhiteoutForm;
  readonly diffId: Digest;
  readonly limits: UnpackLimits;
}

/**
 * Unpacks one layer into its directory: inflate, hash, parse, write, piece by piece. Runs in a Worker, since it makes
 * its system calls synchronously. Errors as in LayerUnpacker.
 */
export async function unpackLayer(
  { layer, directory, whiteouts, diffId, limits }: LayerToUnpack,
  input: AsyncIterable<Uint8Array>,
): Promise<UnpackedLayer> {
  const what = `layer ${layer}`;
  const tree = new LayerTree(directory, layer, limits, whiteouts);
  const xattrs = new XattrWriter(layer);
  const writer = new LayerWriter(layer, tree, xattrs, limits);
  try {
    const parser = new TarParser(writer);
    const digester = createDigester();
    const blob = new CountedInput(input);
    let tarBytes = 0;
    for await (const piece of decompress(blob, what)) {
      tarBytes += piece.length;
      digester.update(piece);
      parser.push(piece);
      // Whoever reads a hole, to pack it or to copy it, reads as many zeros.
      checkInflation(layer, tarBytes + writer.holeBytes, blob.bytes, limits);
    }
    parser.end();
    verifyDiffId(what, diffId, digester.digest());
    writer.finish();
    return {
      diffId,
      sizeBytes: writer.sizeBytes,
      entries: tree.entries,
      impliedDirectories: tree.impliedDirectories,
      warnings: xattrs.warnings,
    };
  } catch (error) {
    throw namingLayer(what, error);
  } finally {
    writer.close();
    tree.close();
  }
}

/** Counts what was taken of a blob. */
class CountedInput implements AsyncIterable<Uint8Array> {
  bytes = 0;

  constructor(private readonly input: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.input) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}

function checkInflation(layer: Digest, tarBytes: number, blobBytes: number, limits: UnpackLimits): void {
  if (tarBytes > limits.unpackedBytes) throw tooLarge(layer, limits.unpackedBytes);
  if (tarBytes > limits.uncheckedBytes && tarBytes > limits.ratio * blobBytes) {
    throw overLimit(
      layer,
      `unpacks to more than ${limits.ratio} times its size`,
      "if the image can be trusted, start the engine with a larger --max-layer-ratio",
    );
  }
}

function verifyDiffId(what: string, expected: Digest, actual: Digest): void {
  if (expected === actual) return;
  throw invalidParameter(`${what}: content does not match its diff id ${expected}: it is ${actual}`, {
    code: "layer.diff-id",
  });
}

/** The parser knows nothing of layers. */
function namingLayer(what: string, error: unknown): unknown {
  if (!(error instanceof PlatformError) || !error.code?.startsWith("tar.")) return error;
  const { kind, message, code, hint } = error;
  return new PlatformError(kind, `${what}: ${message}`, { code, hint, cause: error });
}
