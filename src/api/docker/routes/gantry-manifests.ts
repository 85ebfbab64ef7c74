import type { ManifestLists } from "../../../engine/images/manifest-lists.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { JsonFields } from "../../../formats/json-fields.ts";
import { parseRegistryConfig } from "../credentials.ts";
import { jsonBody } from "../json-body.ts";
import { booleanQuery } from "../query.ts";
import type { ApiRequest, Route } from "../route.ts";

/**
 * Manifest lists, below `/gantry/v1/manifest-lists`; Docker's engine has none, its client keeps them itself. Names
 * stand in the query. Credentials come as in a build: `X-Registry-Config`.
 */
export const manifestRoutes = (lists: ManifestLists): Route[] => [
  createRoute(lists),
  annotateRoute(lists),
  inspectRoute(lists),
  registriesRoute(lists),
  pushRoute(lists),
  removeRoute(lists),
];

const path = "/gantry/v1/manifest-lists";

const accessOf = ({ headers, signal }: ApiRequest) => ({
  credentialsOf: parseRegistryConfig(headers["x-registry-config"]),
  signal,
});

function nameOf({ query }: ApiRequest): string {
  const name = query.get("name");
  if (name) return name;
  throw invalidParameter("name is missing");
}

const bodyOf = async (request: ApiRequest): Promise<JsonFields> =>
  JsonFields.parse("request", JSON.stringify(await jsonBody(request)));

/** `POST ?name=LIST&amend=1`, `{"manifests": [NAME, …]}`. */
const createRoute = (lists: ManifestLists): Route => ({
  method: "POST",
  path,
  handle: async (request, reply) => {
    const manifests = (await bodyOf(request)).strings("manifests") ?? [];
    if (manifests.length === 0) throw invalidParameter("manifests is missing");
    const amend = booleanQuery(request.query, "amend");
    const { name, members } = await lists.create(nameOf(request), manifests, { amend, ...accessOf(request) });
    reply.json(201, { name, members });
  },
});

/** `POST …/annotate?name=LIST&manifest=NAME` with an Annotation. */
const annotateRoute = (lists: ManifestLists): Route => ({
  method: "POST",
  path: `${path}/annotate`,
  handle: async (request, reply) => {
    const fields = await bodyOf(request);
    await lists.annotate(nameOf(request), request.query.get("manifest") ?? undefined, {
      os: fields.string("os"),
      architecture: fields.string("architecture"),
      variant: fields.string("variant"),
      osVersion: fields.string("osVersion"),
      osFeatures: fields.strings("osFeatures"),
      annotations: fields.stringMap("annotations"),
    });
    reply.empty(204);
  },
});

/** `GET ?name=NAME&list=LIST&verbose=1`: a manifest, an index, or with `verbose` what is in them. */
const inspectRoute = (lists: ManifestLists): Route => ({
  method: "GET",
  path,
  handle: async (request, reply) => {
    const list = request.query.get("list") ?? undefined;
    const verbose = booleanQuery(request.query, "verbose");
    reply.json(200, await lists.inspect(nameOf(request), { list, verbose, ...accessOf(request) }));
  },
});

/** `GET …/registries?name=LIST`: the domains whose credentials a push needs. */
const registriesRoute = (lists: ManifestLists): Route => ({
  method: "GET",
  path: `${path}/registries`,
  handle: async (request, reply) => reply.json(200, await lists.registriesOf(nameOf(request))),
});

/** `POST …/push?name=LIST&purge=1`: a PushedIndex. */
const pushRoute = (lists: ManifestLists): Route => ({
  method: "POST",
  path: `${path}/push`,
  handle: async (request, reply) => {
    const purge = booleanQuery(request.query, "purge");
    reply.json(200, await lists.push(nameOf(request), { purge, ...accessOf(request) }));
  },
});

const removeRoute = (lists: ManifestLists): Route => ({
  method: "DELETE",
  path,
  handle: async (request, reply) => {
    await lists.remove(nameOf(request));
    reply.empty(204);
  },
});
