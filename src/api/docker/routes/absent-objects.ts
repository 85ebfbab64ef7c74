import { notFound } from "../../../errors/platform-error.ts";
import type { Route } from "../route.ts";

/**
 * Volumes and plugins cannot be made yet, so that none exists: asking for one is answered as Docker answers it. Its
 * `inspect` asks for every kind of object in turn, and ends at any other answer.
 */
export const absentObjectRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/volumes/{name}",
    handle: ({ params }) => {
      throw notFound(`get ${params.name}: no such volume`);
    },
  },
  {
    method: "DELETE",
    path: "/volumes/{name}",
    handle: ({ params }) => {
      throw notFound(`get ${params.name}: no such volume`);
    },
  },
  { method: "GET", path: "/plugins", handle: (_, reply) => reply.json(200, []) },
  {
    method: "GET",
    path: "/plugins/{name}/json",
    handle: ({ params }) => {
      throw notFound(`plugin ${JSON.stringify(params.name)} not found`);
    },
  },
];
