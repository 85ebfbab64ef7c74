import { gzipSync, zstdCompressSync } from "node:zlib";
import { hostArchitecture, packTar, type TarEntry } from "../../../scripts/image-archive.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../../src/formats/oci-image.ts";

type Compression = "gzip" | "zstd" | "plain";

export interface ImageToPush {
  /** The files of each layer, base first. */
  readonly layers: readonly (readonly TarEntry[])[];
  readonly compression: Compression;
  readonly format: "oci" | "docker";
  readonly architecture?: string;
  /** Makes the lowest layer one that is elsewhere. */
  readonly foreign?: {
    readonly layerType: string;
    readonly urls: readonly string[];
    /** Takes its bytes in the registry's place; without it, the layer is pushed all the same. */
    readonly keep?: (layer: Uint8Array<ArrayBuffer>) => void;
  };
}

const layerTypes = {
  oci: { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, plain: mediaTypes.ociLayer },
  docker: {
    gzip: mediaTypes.dockerLayerGzip,
    zstd: mediaTypes.dockerLayerZstd,
    plain: mediaTypes.dockerLayer,
  },
} as const;

/** Pushes by the distribution protocol itself, for what image tools do not write: plain layers, chosen platforms. */
export async function pushImage(
  host: string,
  name: string,
  tag: string,
  image: ImageToPush,
): Promise<Descriptor> {
  const tars = image.layers.map(packTar);
  const layerType = layerTypes[image.format][image.compression];
  const layers: Descriptor[] = [];
  const { foreign } = image;
  for (const [index, tar] of tars.entries()) {
    const bytes = compress(tar, image.compression);
    const of = index === 0 && foreign ? { mediaType: foreign.layerType, urls: foreign.urls } : {};
    if (index === 0 && foreign?.keep) {
      foreign.keep(bytes);
      layers.push({ mediaType: layerType, digest: digestOf(bytes), size: bytes.length, ...of });
    } else layers.push({ ...(await pushBlob(host, name, bytes, layerType)), ...of });
  }
  const config = {
    architecture: image.architecture ?? hostArchitecture(),
    os: "linux",
    config: { Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
  };
  const [configType, manifestType] =
    image.format === "oci"
      ? [mediaTypes.ociConfig, mediaTypes.ociManifest]
      : [mediaTypes.dockerConfig, mediaTypes.dockerManifest];
  const configBlob = await pushBlob(host, name, json(config), configType);
  const manifest = { schemaVersion: 2, mediaType: manifestType, config: configBlob, layers };
  return pushManifest(host, name, tag, manifestType, manifest);
}

/** An index of images that were pushed before. */
export function pushIndex(
  host: string,
  name: string,
  tag: string,
  entries: readonly { readonly image: Descriptor; readonly architecture?: string }[],
): Promise<Descriptor> {
  const manifests = entries.map(({ image, architecture }) => ({
    ...image,
    ...(architecture === undefined ? {} : { platform: { os: "linux", architecture } }),
  }));
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return pushManifest(host, name, tag, mediaTypes.ociIndex, index);
}

async function pushBlob(
  host: string,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  mediaType: string,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const begun = await expectStatus(202, `http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", `http://${host}`);
  location.searchParams.set("digest", digest);
  await expectStatus(201, location.href, { method: "PUT", body: bytes });
  return { mediaType, digest, size: bytes.length };
}

async function pushManifest(
  host: string,
  name: string,
  tag: string,
  mediaType: string,
  document: object,
): Promise<Descriptor> {
  const bytes = json(document);
  const headers = { "content-type": mediaType };
  const url = `http://${host}/v2/${name}/manifests/${tag}`;
  await expectStatus(201, url, { method: "PUT", headers, body: bytes });
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

async function expectStatus(status: number, url: string, request: RequestInit): Promise<Response> {
  const response = await fetch(url, request);
  if (response.status !== status) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

function compress(bytes: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array<ArrayBuffer> {
  if (compression === "plain") return bytes;
  return new Uint8Array(compression === "gzip" ? gzipSync(bytes) : zstdCompressSync(bytes));
}

function json(value: object): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(value)));
}
