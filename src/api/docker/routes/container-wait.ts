import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { parseWaitCondition, waitForContainer } from "../../../engine/containers/waiter.ts";
import { jsonContentType } from "../reply.ts";
import type { Route } from "../route.ts";

/** The header goes out at once, so that a client knows its wait is registered before it starts the container. */
export const containerWaitRoute = (store: ContainerStore): Route => ({
  method: "POST",
  path: "/containers/{id}/wait",
  handle: async ({ params, query, signal }, reply) => {
    const container = store.get(params.id ?? "");
    const waiting = waitForContainer(container, parseWaitCondition(query.get("condition")), signal);
    const sink = reply.stream(jsonContentType);
    const exitCode = await waiting;
    await sink.write(`${JSON.stringify({ StatusCode: exitCode })}\n`);
    sink.end();
  },
});
