import type { LayerCompression } from "../core/diff/contract.ts";
import type { ImageMaker } from "../core/diff/image-maker.ts";
import type { TransferParts } from "./compose-transfer.ts";

export interface ImageMakerParts extends Omit<TransferParts, "root" | "log" | "registries" | "transfers"> {
  readonly spoolDirectory: string;
  readonly compression: LayerCompression;
}

/** Builds the maker at its first use, as `composeTransfer`. */
export function composeImageMaker(parts: ImageMakerParts): () => Promise<ImageMaker> {
  let maker: Promise<ImageMaker> | undefined;
  return () => {
    maker ??= build(parts);
    return maker;
  };
}

async function build({ content, images, leases, ...parts }: ImageMakerParts): Promise<ImageMaker> {
  const { ImageMaker } = await import("../core/diff/image-maker.ts");
  const { LayerMaker } = await import("../core/diff/layer-maker.ts");
  return new ImageMaker({ content, images, leases, layers: new LayerMaker({ content, ...parts }) });
}
