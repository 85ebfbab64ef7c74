/** What a check of a root directory says, line by line: `POST /gantry/v1/fsck` and `gantry fsck --json`. */

export interface FsckFinding {
  /** A notice is worth knowing and harms nobody. */
  readonly severity: "problem" | "notice";
  /** Stable, for programs: `blob-corrupt`. */
  readonly kind: string;
  /** What is wrong, with what. */
  readonly what: string;
  /** Host path. */
  readonly where: string;
  readonly why: string;
  /** What it means for the user. */
  readonly meaning: string;
  /** What `--repair` does about it, or what the user can do. */
  readonly remedy: string;
}

export interface FsckRepair {
  readonly what: string;
  readonly outcome: "done" | "failed";
  /** Why it failed. */
  readonly detail?: string;
}

export interface FsckSummary {
  readonly blobs: number;
  readonly blobBytes: number;
  readonly images: number;
  readonly layers: number;
  readonly containers: number;
  /** After repairs: those that are left. */
  readonly problems: number;
  readonly notices: number;
  /** Images and containers that could not be saved, by name. */
  readonly lost: readonly string[];
  /** Domains of the registries that a repair would ask. */
  readonly registries: readonly string[];
}

export type FsckLine =
  | { readonly finding: FsckFinding }
  | { readonly repair: FsckRepair }
  /** What is wrong after the repairs. */
  | { readonly remaining: FsckFinding }
  /** The last line of a check that came to its end. */
  | { readonly summary: FsckSummary }
  | { readonly error: string; readonly hint?: string };

const kinds = ["finding", "repair", "remaining", "summary", "error"] as const;

/** Lines of a newer engine may be others: they are passed over. */
export function isFsckLine(value: unknown): value is FsckLine {
  return typeof value === "object" && value !== null && kinds.some((kind) => kind in value);
}
