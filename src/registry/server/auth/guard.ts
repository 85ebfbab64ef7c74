import type { IncomingHttpHeaders } from "node:http";
import { errorReply, refusal } from "../registry-error.ts";
import type { Reply } from "../reply.ts";
import type { Access, Grant } from "./access.ts";

/** Decides who may use a registry. */
export interface Guard {
  /** What the sender of these headers may do; undefined when it is unknown who that is, or the proof is bad. */
  admit(headers: IncomingHttpHeaders): Promise<Grant | undefined>;
  /** The answer to a request that needs `required` and was not admitted, or whose `grant` does not go so far. */
  refuse(headers: IncomingHttpHeaders, required: readonly Access[], grant: Grant | undefined): Reply;
}

/** Everybody may do everything. */
export const openGuard: Guard = {
  admit: async () => ({ allows: () => true }),
  refuse: () => errorReply(refusal("DENIED", "requested access to the resource is denied")),
};
