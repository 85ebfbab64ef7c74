import type { Descriptor, Digest } from "../content/contract.ts";
import type { BrokenSidecar } from "./survey.ts";

export type DocumentRole = "index" | "manifest" | "config" | "layer";

/** One thing that is wrong. `images` are names for people, or ids where there is no name. */
export type Problem =
  | { readonly kind: "blob-corrupt"; readonly digest: Digest; readonly path: string; readonly actual: Digest }
  | {
      readonly kind: "blob-unreadable";
      readonly digest: Digest;
      readonly path: string;
      readonly error: string;
    }
  | {
      readonly kind: "blob-missing";
      readonly descriptor: Descriptor;
      readonly role: DocumentRole;
      readonly path: string;
      readonly images: readonly string[];
    }
  | {
      readonly kind: "blob-size";
      readonly descriptor: Descriptor;
      readonly actualBytes: number;
      readonly path: string;
      readonly images: readonly string[];
    }
  | {
      readonly kind: "document-broken";
      readonly digest: Digest;
      readonly path: string;
      readonly error: string;
      readonly images: readonly string[];
    }
  | ({ readonly kind: "sidecar-broken" } & BrokenSidecar)
  /** A name stands for an image of which nothing else is recorded. */
  | { readonly kind: "image-unrecorded"; readonly id: Digest; readonly path: string; readonly image: string }
  /** The image is whole on disk, and the running engine does not know it or one of its names. */
  | { readonly kind: "image-unknown"; readonly id: Digest; readonly path: string; readonly image: string }
  | {
      readonly kind: "layer-missing";
      readonly chainId: Digest;
      readonly diffId: Digest;
      readonly path: string;
      readonly images: readonly string[];
    }
  | {
      readonly kind: "layer-parent-missing";
      readonly chainId: Digest;
      readonly parent: Digest;
      readonly path: string;
    }
  | {
      readonly kind: "layer-differs";
      readonly chainId: Digest;
      readonly path: string;
      readonly differences: readonly string[];
    }
  | { readonly kind: "top-missing"; readonly id: string; readonly container: string; readonly path: string }
  | {
      readonly kind: "top-parent-missing";
      readonly container: string;
      readonly parent: Digest;
      readonly path: string;
    }
  | { readonly kind: "top-unowned"; readonly key: string; readonly path: string }
  /** A repository has it, and the content store does not. */
  | {
      readonly kind: "link-dangling";
      readonly digest: Digest;
      readonly path: string;
      readonly repository: string;
    }
  | {
      readonly kind: "tag-dangling";
      readonly digest: Digest;
      readonly path: string;
      readonly reference: string;
    }
  /** Its subject does not know of it. */
  | {
      readonly kind: "referrer-unlisted";
      readonly digest: Digest;
      readonly subject: Digest;
      readonly repository: string;
      readonly path: string;
    }
  | { readonly kind: "stranger"; readonly path: string };

/** Harmless, so it does not count. */
export const isNotice = ({ kind }: Problem): boolean => kind === "stranger" || kind === "top-unowned";

/** The same problem at two looks has the same key. */
export const keyOf = (problem: Problem): string =>
  `${problem.kind} ${problem.path} ${"chainId" in problem ? problem.chainId : ""}`;
