import type { FsckRequest } from "../../../core/fsck/fsck.ts";
import { messageOf, PlatformError } from "../../../errors/platform-error.ts";
import type { FsckLine } from "../../../wire/fsck-report.ts";
import { encodeJsonLine } from "../../../wire/json-lines.ts";
import { parseRegistryConfig } from "../credentials.ts";
import { booleanQuery } from "../query.ts";
import { jsonContentType } from "../reply.ts";
import type { Route } from "../route.ts";

export type RunFsck = (request: FsckRequest) => AsyncIterable<FsckLine>;

/**
 * `POST /gantry/v1/fsck?deep=1&repair=1`: checks the engine's root directory; the answer is JSON lines (FsckLine), the
 * last of which is a summary or an error. Credentials come as in a build: `X-Registry-Config`, an object of AuthConfigs
 * by domain in base64url.
 */
export const fsckRoute = (run: RunFsck): Route => ({
  method: "POST",
  path: "/gantry/v1/fsck",
  handle: async ({ query, headers, signal }, reply) => {
    const sink = reply.stream(jsonContentType);
    const request = {
      deep: booleanQuery(query, "deep"),
      repair: booleanQuery(query, "repair"),
      credentials: parseRegistryConfig(headers["x-registry-config"]),
      signal,
    };
    try {
      for await (const line of run(request)) await sink.write(encodeJsonLine(line));
    } catch (error) {
      const hint = error instanceof PlatformError && error.hint ? { hint: error.hint } : {};
      await sink.write(encodeJsonLine({ error: messageOf(error), ...hint }));
    }
    sink.end();
  },
});
