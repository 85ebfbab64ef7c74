import type { Descriptor } from "../content/contract.ts";

/** A manifest of an index that is being put together. */
export interface IndexMember {
  /** Canonical, with tag or digest: what the user called it. */
  readonly reference: string;
  /** With its platform, and annotations if any. */
  readonly descriptor: Descriptor;
  /** Where its bytes are: in the registry of the reference, or in the content store of this machine. */
  readonly source: "registry" | "local";
}

/** An index (Docker: manifest list) that is not pushed yet. */
export interface IndexDraft {
  /** Canonical, with tag: where it will be pushed to. */
  readonly name: string;
  readonly members: readonly IndexMember[];
  readonly annotations: Readonly<Record<string, string>>;
}
