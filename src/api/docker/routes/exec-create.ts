import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { ExecService } from "../../../engine/containers/exec-service.ts";
import { parseExecConfig } from "../../../engine/containers/parse-exec-config.ts";
import { jsonBody } from "../json-body.ts";
import type { Route } from "../route.ts";

export const execCreateRoute = (store: ContainerStore, execs: ExecService): Route => ({
  method: "POST",
  path: "/containers/{id}/exec",
  handle: async (request, reply) => {
    const body = await jsonBody(request);
    const exec = execs.create(store.get(request.params.id ?? ""), parseExecConfig(body));
    reply.json(201, { Id: exec.id });
  },
});
