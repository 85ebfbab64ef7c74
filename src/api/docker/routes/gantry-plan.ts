import type { Explainer } from "../../../engine/explain.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import type { PlanFormat } from "../../../runtime/explain/render-plan.ts";
import { jsonBody } from "../json-body.ts";
import type { Reply } from "../reply.ts";
import type { Route } from "../route.ts";

/** `GET /gantry/v1/containers/{id}/plan?format=text|json`: the kernel steps that make up a container. */
export const containerPlanRoute = (explainer: Explainer): Route => ({
  method: "GET",
  path: "/gantry/v1/containers/{id}/plan",
  handle: ({ params, query }, reply) => {
    const format = planFormat(query);
    send(reply, format, explainer.explainContainer(params.id ?? "", format));
  },
});

/** `POST /gantry/v1/plan?format=…` with the body of a create request: the same, without making anything. */
export const createPlanRoute = (explainer: Explainer): Route => ({
  method: "POST",
  path: "/gantry/v1/plan",
  handle: async (request, reply) => {
    const format = planFormat(request.query);
    const { query } = request;
    const body = await jsonBody(request);
    const name = query.get("name") || undefined;
    send(reply, format, await explainer.explainRequest({ name, body }, format));
  },
});

function planFormat(query: URLSearchParams): PlanFormat {
  const format = query.get("format") || "text";
  if (format === "text" || format === "json") return format;
  throw invalidParameter(`unknown plan format ${JSON.stringify(format)}: text or json`);
}

function send(reply: Reply, format: PlanFormat, plan: string): void {
  reply.text(plan, { "Content-Type": format === "json" ? "application/json" : "text/plain; charset=utf-8" });
}
