import { checkRepositoryName } from "./names.ts";
import { refusal } from "./registry-error.ts";
import type { Handler, Target } from "./route.ts";
import { answerBase } from "./routes/answer-base.ts";
import { appendUpload } from "./routes/append-upload.ts";
import { cancelUpload } from "./routes/cancel-upload.ts";
import { deleteBlob } from "./routes/delete-blob.ts";
import { deleteManifest } from "./routes/delete-manifest.ts";
import { finishUpload } from "./routes/finish-upload.ts";
import { getBlob } from "./routes/get-blob.ts";
import { getManifest } from "./routes/get-manifest.ts";
import { listReferrers } from "./routes/list-referrers.ts";
import { listRepositories } from "./routes/list-repositories.ts";
import { listTags } from "./routes/list-tags.ts";
import { putManifest } from "./routes/put-manifest.ts";
import { refuseMethod } from "./routes/refuse-method.ts";
import { startUpload } from "./routes/start-upload.ts";
import { uploadStatus } from "./routes/upload-status.ts";

interface Route {
  readonly path: RegExp;
  /** HEAD is GET without its body. */
  readonly methods: Readonly<Record<string, Handler>>;
}

/** Distribution-spec, "Endpoints". A repository may be called `a/blobs`: the last match of a word counts. */
const routes: readonly Route[] = [
  { path: /^\/v2\/?$/, methods: { GET: answerBase } },
  { path: /^\/v2\/_catalog$/, methods: { GET: listRepositories } },
  { path: /^\/v2\/(.+)\/tags\/list$/, methods: { GET: listTags } },
  { path: /^\/v2\/(.+)\/blobs\/uploads\/?$/, methods: { POST: startUpload } },
  {
    path: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: uploadStatus, PATCH: appendUpload, PUT: finishUpload, DELETE: cancelUpload },
  },
  { path: /^\/v2\/(.+)\/blobs\/([^/]+)$/, methods: { GET: getBlob, DELETE: deleteBlob } },
  {
    path: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    methods: { GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  },
  { path: /^\/v2\/(.+)\/referrers\/([^/]+)$/, methods: { GET: listReferrers } },
];

export interface Match {
  readonly handle: Handler;
  readonly target: Target;
}

/**
 * Finds the route; undefined for a path that the API does not have.
 * One that it has without the method gets a handler that says so. Errors: NAME_INVALID.
 */
export function findRoute(method: string, path: string): Match | undefined {
  const decoded = decode(path);
  for (const route of routes) {
    const found = route.path.exec(decoded);
    if (!found) continue;
    const [, name, reference = ""] = found;
    const repository = name === undefined ? "" : checkRepositoryName(name);
    const key = method === "HEAD" ? "GET" : method;
    const handle = Object.hasOwn(route.methods, key) ? route.methods[key] : undefined;
    const target = { path, repository, reference };
    return { handle: handle ?? refuseMethod(Object.keys(route.methods)), target };
  }
  return undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refusal("NAME_INVALID", `malformed path: ${path}`);
  }
}
