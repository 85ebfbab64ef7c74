import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { ContentType } from "../../wire/image-anatomy.ts";

/** One name in a layer, as overlay keeps it. */
export interface LayerEntry {
  /** Below the layer's root, without a leading slash; "" is the root itself. */
  readonly path: ByteString;
  readonly type: ContentType | "whiteout";
  /** Of a regular file; else 0. */
  readonly sizeBytes: number;
  /** Owner and mode: a directory that differs in them from the one below is a change. */
  readonly attributes: string;
  /** Of a directory: nothing of the layers below is in it. */
  readonly isOpaque: boolean;
  /** The same for all names of one file; undefined for a file with one name. */
  readonly inode: string | undefined;
}
