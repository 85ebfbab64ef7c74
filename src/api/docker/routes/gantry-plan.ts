import type { Explainer } from "../../../engine/explain.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { type ExplainFormat, explainFormats } from "../../../runtime/explain/render-explained.ts";
import { jsonBody } from "../json-body.ts";
import type { Reply } from "../reply.ts";
import type { Route } from "../route.ts";

/** `GET /gantry/v1/containers/{id}/plan?format=text|json|shell`: the kernel steps that make up a container. */
export const containerPlanRoute = (explainer: Explainer): Route => ({
  method: "GET",
  path: "/gantry/v1/containers/{id}/plan",
  handle: ({ params, query }, reply) => {
    const format = planFormat(query);
    send(reply, format, explainer.explainContainer(params.id ?? "", format));
  },
});

/** `GET /gantry/v1/plan?of=NAME&format=…`: of a container, or of `run NAME` where an image has that name. */
export const planRoute = (explainer: Explainer): Route => ({
  method: "GET",
  path: "/gantry/v1/plan",
  handle: async ({ query }, reply) => {
    const format = planFormat(query);
    send(reply, format, await explainer.explain(query.get("of") ?? "", format));
  },
});

/** `GET /gantry/v1/plan/diff?a=NAME&b=NAME&format=text|json`: the steps in which two containers or images differ. */
export const planDiffRoute = (explainer: Explainer): Route => ({
  method: "GET",
  path: "/gantry/v1/plan/diff",
  handle: async ({ query }, reply) => {
    const format = planFormat(query);
    if (format === "shell") throw invalidParameter("a difference is no shell script: text, json");
    send(reply, format, await explainer.diff(query.get("a") ?? "", query.get("b") ?? "", format));
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

function planFormat(query: URLSearchParams): ExplainFormat {
  const wanted = query.get("format") || "text";
  const format = explainFormats.find((name) => name === wanted);
  if (format !== undefined) return format;
  throw invalidParameter(`unknown plan format ${JSON.stringify(wanted)}: ${explainFormats.join(", ")}`);
}

function send(reply: Reply, format: ExplainFormat, plan: string): void {
  reply.text(plan, { "Content-Type": format === "json" ? "application/json" : "text/plain; charset=utf-8" });
}
