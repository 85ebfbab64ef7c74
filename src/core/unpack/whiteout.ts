import type { ByteString } from "../../formats/tar/byte-string.ts";
import type { LayerPath } from "./layer-path.ts";

/**
 * How an unpacked layer says that something of the layers below is gone:
 * - `overlay`: a character device 0/0; a directory with trusted.overlay.opaque hides the one below;
 * - `overlay-user`: the same with user.overlay.opaque, for mounts with `userxattr`;
 * - `names`: empty files, named as in the layer's tar (`.wh.NAME`, `.wh..wh..opq`); any file system has those.
 */
export type WhiteoutForm = "overlay" | "overlay-user" | "names";

/** Overlayfs' extended attribute of a directory that hides the one below. */
export const opaqueXattr = {
  overlay: "trusted.overlay.opaque",
  "overlay-user": "user.overlay.opaque",
} as const;

/** What the name of an entry means. OCI image-spec, "Whiteouts". */
export type Whiteout =
  | { readonly kind: "none" }
  /** `dir/.wh.NAME`: NAME of the layers below is gone. */
  | { readonly kind: "hide"; readonly name: ByteString }
  /** `dir/.wh..wh..opq`: all of dir that the layers below have is gone. */
  | { readonly kind: "opaque" }
  /** Book-keeping of aufs (`.wh..wh.plnk`, `.wh..wh.aufs` and what is in them). */
  | { readonly kind: "skip" }
  | { readonly kind: "invalid" };

export const whiteoutPrefix = ".wh.";
const metaPrefix = ".wh..wh.";
export const opaqueName = ".wh..wh..opq";
const none: Whiteout = { kind: "none" };

export function whiteoutOf(path: LayerPath): Whiteout {
  if (!path.path.includes(whiteoutPrefix)) return none;
  const { name, parent } = path;
  const inside = parent.split("/");
  if (inside.some((part) => part.startsWith(metaPrefix))) return { kind: "skip" };
  // A whiteout is no directory: nothing can be in it.
  if (inside.some((part) => part.startsWith(whiteoutPrefix))) return { kind: "invalid" };
  if (!name.startsWith(whiteoutPrefix)) return none;
  if (name === opaqueName) return { kind: "opaque" };
  if (name.startsWith(metaPrefix)) return { kind: "skip" };
  const hidden = name.slice(whiteoutPrefix.length);
  return hidden === "" || hidden === "." || hidden === ".."
    ? { kind: "invalid" }
    : { kind: "hide", name: hidden };
}
