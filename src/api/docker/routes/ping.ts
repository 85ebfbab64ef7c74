import type { Reply } from "../reply.ts";
import type { Route } from "../route.ts";

const headers = {
  "Content-Type": "text/plain; charset=utf-8",
  "Builder-Version": "1",
  Swarm: "inactive",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
} as const;

const handle = (_: unknown, reply: Reply): void => reply.text("OK", headers);

/** `GET|HEAD /_ping`: says that the engine is there, and which API it speaks. */
export const pingRoutes: readonly Route[] = [
  { method: "GET", path: "/_ping", handle },
  { method: "HEAD", path: "/_ping", handle },
];
