import type { ExecService } from "../../../engine/containers/exec-service.ts";
import { sizeQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const execResizeRoute = (execs: ExecService): Route => ({
  method: "POST",
  path: "/exec/{id}/resize",
  handle: async ({ params, query }, reply) => {
    const { rows, columns } = sizeQuery(query);
    await execs.resize(params.id ?? "", rows, columns);
    reply.empty(200);
  },
});
