import type { ClientStream } from "../../../engine/containers/client-stream.ts";
import type { Route } from "../route.ts";

/** Where a front asks the engine to run its command (docs/front-protocol.md). */
export const commandRoute = (serve: (front: ClientStream) => Promise<void>): Route => ({
  method: "POST",
  path: "/gantry/command",
  handle: (_, reply) => serve(reply.hijack("application/vnd.gantry.command")),
});
