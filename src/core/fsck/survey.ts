import type { Descriptor, ImageConfigFile, Manifest } from "../../formats/oci-image.ts";
import type { Digest } from "../content/contract.ts";
import type { ImageRecord, ReferenceRecord } from "../images/image-sidecars.ts";
import type { LayerSidecar } from "../snapshots/layer-sidecar.ts";

/** What is on disk below a root directory, as it was found; nothing here is a judgement. */
export interface Survey {
  readonly root: string;
  readonly blobs: ReadonlyMap<Digest, SurveyedBlob>;
  /** Of the blobs that images name as index, manifest or config, those whose digest is right. */
  readonly documents: ReadonlyMap<Digest, SurveyedDocument>;
  readonly images: readonly ImageRecord[];
  readonly references: readonly ReferenceRecord[];
  /** Those whose sidecar can be read, by chain id. */
  readonly layers: ReadonlyMap<Digest, SurveyedLayer>;
  readonly containers: readonly SurveyedContainer[];
  /** Writable tops of containers, by key. */
  readonly tops: ReadonlyMap<string, SurveyedTop>;
  /** Keys of writable tops that leases hold. */
  readonly leasedTops: ReadonlySet<string>;
  /** Of the registry that stands on this content. */
  readonly repositories: readonly SurveyedRepository[];
  readonly broken: readonly BrokenSidecar[];
  /** Files between blobs that are none. */
  readonly strangers: readonly string[];
  /** What the engine has in memory; undefined when none runs. */
  readonly memory: EngineMemory | undefined;
}

export interface SurveyedBlob {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of its bytes; undefined when they cannot be read. */
  readonly actual: Digest | undefined;
  readonly error?: string;
}

export type SurveyedDocument =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly manifests: readonly Descriptor[] }
  | { readonly kind: "config"; readonly config: ImageConfigFile }
  | { readonly kind: "broken"; readonly error: string };

export interface SurveyedLayer {
  readonly path: string;
  readonly sidecar: LayerSidecar;
  /** Where its files are not those of its blob; empty without a deep check. */
  readonly differences: readonly string[];
}

export interface SurveyedContainer {
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

export interface SurveyedTop {
  readonly path: string;
  readonly parent: Digest | undefined;
  readonly isMounted: boolean;
}

export interface SurveyedLink {
  readonly digest: Digest;
  readonly path: string;
}

export interface SurveyedRepository {
  readonly name: string;
  readonly path: string;
  readonly blobs: readonly SurveyedLink[];
  /** Those whose record can be read. */
  readonly manifests: readonly (SurveyedLink & { readonly subject: Digest | undefined })[];
  readonly tags: readonly (SurveyedLink & { readonly tag: string })[];
  /** `SUBJECT/REFERRER`, as names of files. */
  readonly referrers: ReadonlySet<string>;
}

export interface BrokenSidecar {
  readonly object:
    | "image"
    | "name"
    | "layer"
    | "container"
    | "lease"
    | "registry manifest"
    | "registry tag"
    | "blob labels";
  /** What would have to go aside: the file, or the directory of a layer or container. */
  readonly path: string;
  readonly error: string;
}

export interface EngineMemory {
  readonly images: ReadonlySet<Digest>;
  /** Canonical references. */
  readonly names: ReadonlySet<string>;
  readonly layers: ReadonlySet<Digest>;
  /** Blobs and layers that a running operation holds, which may be half there. */
  isHeld(digest: Digest): boolean;
}

/** The bytes are there, and they are those which the name says. */
export function isUsable(survey: Survey, digest: Digest): boolean {
  return survey.blobs.get(digest)?.actual === digest;
}
