import type { Registry } from "./registry.ts";
import type { RegistryRequest, Reply } from "./reply.ts";

/** What stands in the path. */
export interface Target {
  /** Undecoded, as it came; for links. */
  readonly path: string;
  /** Checked against the grammar; empty for routes that have none. */
  readonly repository: string;
  /** A tag, a digest or an upload's id, unchecked; empty for routes that have none. */
  readonly reference: string;
}

export type Handler = (request: RegistryRequest, target: Target, registry: Registry) => Promise<Reply>;
