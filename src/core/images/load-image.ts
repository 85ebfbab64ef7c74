import { invalidParameter } from "../../errors/platform-error.ts";
import { chainIds } from "../../formats/chain-id.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor, ImageConfigFile, Manifest } from "../../formats/oci-image.ts";
import { parseImageConfig, parseManifest } from "../../formats/parse-oci-image.ts";
import type { ContentStore } from "../content/contract.ts";

/** An image as its blobs describe it, without names. */
export interface ImageDocuments {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfigFile;
  /** Base first. */
  readonly chainIds: readonly Digest[];
}

/**
 * Reads manifest and config from the content store.
 * Errors: NotFound for a blob that is not there; InvalidParameter for documents that are broken or do not fit.
 */
export async function loadImage(content: ContentStore, descriptor: Descriptor): Promise<ImageDocuments> {
  const manifest = parseManifest(
    await content.read(descriptor.digest),
    descriptor.mediaType,
    `manifest ${descriptor.digest}`,
  );
  const { digest } = manifest.config;
  const config = parseImageConfig(await content.read(digest), `image config ${digest}`);
  checkLayerCount(manifest, config);
  return { descriptor, manifest, config, chainIds: chainIds(config.rootfs.diff_ids) };
}

/** OCI image-spec, "Image Configuration", rootfs: one diff id for each layer. */
export function checkLayerCount(manifest: Manifest, config: ImageConfigFile): void {
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers === diffIds) return;
  throw invalidParameter(
    `image config ${manifest.config.digest} lists ${diffIds} layers, its manifest has ${layers}`,
    { code: "image.layer-count" },
  );
}

/** All blobs that the image needs beside its manifest. */
export function blobsOf(manifest: Manifest): Digest[] {
  return [manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
}
