import type { ErrorMessage } from "../../errors/error-message.ts";
import type { DigestAlgorithm } from "../../formats/digest.ts";
import type { AnatomyRequest } from "../anatomy/describe-anatomy.ts";
import type { Digest } from "../content/contract.ts";
import type { CapturedLayer, LayerCapture } from "../diff/capture-layer.ts";
import type { PackedLayer } from "../diff/contract.ts";
import type { ArchiveToPack } from "../diff/pack-archive.ts";
import type { LayerToPack } from "../diff/pack-layer.ts";
import type { ErofsImage } from "../snapshots/erofs/write-image.ts";
import type { LayerApplication } from "../snapshots/vfs/apply-layer.ts";
import type { TreeClone } from "../snapshots/vfs/clone-tree.ts";
import type { UnpackedLayer, UnpackLimits } from "./contract.ts";
import type { Inheritance } from "./inherit-attributes.ts";
import type { WhiteoutForm } from "./whiteout.ts";

/** What a Worker can do; plain data, so that it can be posted. Tasks with input read it as JobInput. */
export type Task =
  | {
      readonly kind: "unpack";
      readonly layer: Digest;
      readonly directory: string;
      readonly whiteouts: WhiteoutForm;
      readonly diffId: Digest;
      readonly limits: UnpackLimits;
    }
  /** Writes the regular files of an image archive into `directory`, hashed. */
  | { readonly kind: "spool"; readonly directory: string }
  /** Bytes and number of files below `directory`; with `original`: of those that are not as they are there. */
  | { readonly kind: "measure"; readonly directory: string; readonly original: readonly string[] | undefined }
  /** Copies a tree into an empty directory; `files: "link"`: with more names for the same files. */
  | ({ readonly kind: "clone" } & TreeClone)
  /** Makes the tree that a layer gives on the one below. */
  | ({ readonly kind: "apply" } & LayerApplication)
  /** Writes a tree as an EROFS image. */
  | ({ readonly kind: "erofs" } & ErofsImage)
  /** Removes each directory with all that is in it. */
  | { readonly kind: "remove"; readonly directories: readonly string[] }
  /** Gives directories of a layer that it only implies the attributes which they have below. */
  | ({ readonly kind: "inherit" } & Inheritance)
  /** Looks into the unpacked layers of an image. */
  | ({ readonly kind: "anatomy" } & AnatomyRequest)
  /** See captureLayer, packLayer, packArchive. */
  | ({ readonly kind: "capture" } & LayerCapture)
  | ({ readonly kind: "pack" } & LayerToPack)
  | ({ readonly kind: "pack-archive" } & ArchiveToPack)
  /** Writes the file system of `directory` back to its disk. */
  | { readonly kind: "sync"; readonly directory: string }
  | { readonly kind: "hash"; readonly path: string; readonly algorithm: DigestAlgorithm }
  /** See `compareTrees`. */
  | {
      readonly kind: "compare";
      readonly expected: string;
      readonly actual: string;
      readonly implied: readonly string[];
    };

/** A regular file of an archive, or a symlink (some old archives share layers by them). */
export type SpooledEntry =
  | {
      readonly kind: "file";
      readonly name: string;
      readonly path: string;
      readonly size: number;
      readonly digest: Digest;
      readonly head: Uint8Array;
    }
  | { readonly kind: "symlink"; readonly name: string; readonly target: string };

export interface TaskResults {
  readonly unpack: UnpackedLayer;
  readonly spool: readonly SpooledEntry[];
  readonly measure: { readonly sizeBytes: number; readonly inodes: number };
  readonly remove: undefined;
  readonly sync: undefined;
  readonly inherit: undefined;
  /** JSON of an ImageAnatomy: a text travels between threads faster than what it describes. */
  readonly anatomy: string;
  readonly hash: Digest;
  readonly compare: readonly string[];
  readonly capture: CapturedLayer;
  readonly pack: PackedLayer;
  readonly "pack-archive": PackedLayer;
  readonly clone: undefined;
  readonly apply: undefined;
  readonly erofs: undefined;
}

export type TaskResult = TaskResults[Task["kind"]];

/** `fd` is the sender's, who closes it after the job; `complete`: all of the file is valid already. */
export interface InputFile {
  readonly fd: number;
  /** For errors. */
  readonly path: string;
  readonly complete: boolean;
}

/** To the Worker. `job` numbers are unique within a pool. */
export type ToWorker =
  | {
      readonly type: "start";
      readonly job: number;
      readonly task: Task;
      readonly file?: InputFile;
    }
  | { readonly type: "grown"; readonly job: number; readonly size: number }
  | { readonly type: "chunk"; readonly job: number; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly job: number }
  | { readonly type: "abort"; readonly job: number; readonly error: ErrorMessage };

export type FromWorker =
  /** Input bytes that were consumed, in all. */
  | { readonly type: "progress"; readonly job: number; readonly consumed: number }
  | { readonly type: "done"; readonly job: number; readonly result: TaskResult }
  | { readonly type: "failed"; readonly job: number; readonly error: ErrorMessage };
