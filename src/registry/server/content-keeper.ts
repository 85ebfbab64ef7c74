import type { Digest } from "../../formats/digest.ts";

/** Whoever owns the content that repositories link: it learns which digests have links. */
export interface ContentKeeper {
  /** The first link comes, or something that will be linked: nobody may remove the digest from now on. */
  keep(digest: Digest): void;
  /** The last link has gone: the bytes may go, unless somebody else needs them. */
  release(digest: Digest): Promise<void>;
}
