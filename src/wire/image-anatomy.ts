/** `GET /gantry/v1/images/{name}/anatomy`: what an image is made of. Sizes are bytes, paths relative to the root. */

export interface BlobOutline {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** An entry of the index that the name stands for. */
export interface IndexEntryOutline extends BlobOutline {
  /** `linux/arm64`; `unknown/unknown` for what is no image, an attestation for example. */
  readonly platform: string;
  /** Whether that manifest is stored on this machine. */
  readonly isHere: boolean;
  /** The one that is taken apart here. */
  readonly isChosen: boolean;
}

/** One line of the image's history. */
export interface HistoryStep {
  /** Empty for a layer that no line of the history accounts for. */
  readonly instruction: string;
  readonly created?: string;
  /** The layer that it made, counted from 1; undefined for an instruction that only changed the config. */
  readonly layer?: number;
}

export interface LayerOutline {
  /** From 1, base first. */
  readonly number: number;
  readonly diffId: string;
  readonly chainId: string;
  readonly blob: BlobOutline;
  /** Whether the compressed blob is stored, beside the unpacked files. */
  readonly isStored: boolean;
  readonly unpackedBytes: number;
  readonly instruction: string;
  /** Familiar names, or ids where there is none, of the other images on this machine that stand on the layer. */
  readonly sharedWith: readonly string[];
}

/** All that is known of an image without looking into its layers. */
export interface ImageOutline {
  readonly id: string;
  readonly names: readonly string[];
  readonly platform: string;
  readonly created?: string;
  /** Undefined where the name stands for the manifest itself. */
  readonly index?: BlobOutline & { readonly entries: readonly IndexEntryOutline[] };
  readonly manifest: BlobOutline;
  readonly config: BlobOutline;
  /** Base first. */
  readonly history: readonly HistoryStep[];
  readonly layers: readonly LayerOutline[];
}

export type ContentType = "file" | "directory" | "symlink" | "other";

/** One name that a layer touches. */
export interface ContentChange {
  readonly kind: "added" | "changed" | "deleted";
  /** Of a deleted one: what it was. */
  readonly type: ContentType;
  /** A deleted directory of which only the content is gone (an opaque whiteout) ends with a slash. */
  readonly path: string;
  /** Of a deleted one: what it hides in the layers below. A second name of a file has 0. */
  readonly sizeBytes: number;
  /** The later layer that replaces or deletes it: then it takes room for nothing. */
  readonly shadowedBy?: number;
}

export interface Amount {
  readonly count: number;
  readonly sizeBytes: number;
}

export interface LayerContents {
  readonly added: Amount;
  readonly changed: Amount;
  readonly deleted: Amount;
  /** What of this layer later layers hide; directories do not count. */
  readonly wasted: Amount;
  /** The largest first; as many as were asked for. */
  readonly changes: readonly ContentChange[];
}

export interface WastedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly layer: number;
  readonly shadowedBy: number;
}

export interface ImageAnatomy extends ImageOutline {
  readonly layers: readonly (LayerOutline & LayerContents)[];
  /** The largest first; as many as were asked for. */
  readonly wastedFiles: readonly WastedFile[];
  readonly totals: {
    /** Of the layers as they are transferred, compressed mostly. */
    readonly blobBytes: number;
    readonly unpackedBytes: number;
    /** Of unpackedBytes: in layers that other images stand on, too. */
    readonly sharedBytes: number;
    /** What a container of the image sees; directories do not count. */
    readonly visible: Amount;
    readonly wasted: Amount;
  };
}
