import type { Container } from "../../../engine/containers/container.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { logPath } from "../../../engine/containers/log-config.ts";
import { type FollowOptions, readLogs } from "../../../engine/containers/logs/read-logs.ts";
import { invalidParameter, notImplemented } from "../../../errors/platform-error.ts";
import { logBytes } from "../log-bytes.ts";
import { booleanQuery, timestampQuery } from "../query.ts";
import type { Route } from "../route.ts";
import { outputStreamType } from "./stream-type.ts";

export const containerLogsRoute = (store: ContainerStore): Route => ({
  method: "GET",
  path: "/containers/{id}/logs",
  handle: async ({ params, query, minor, signal }, reply) => {
    const stdout = booleanQuery(query, "stdout");
    const stderr = booleanQuery(query, "stderr");
    if (!stdout && !stderr) throw invalidParameter("must specify at least one of 'stdout' or 'stderr'");
    const logQuery = {
      stdout,
      stderr,
      sinceNs: timestampQuery(query, "since"),
      untilNs: timestampQuery(query, "until"),
      tail: tailQuery(query),
    };
    const container = store.get(params.id ?? "");
    const path = logPath(store.directory(container.id), container.record);
    if (path === undefined) throw notImplemented("configured logging driver does not support reading");
    const tty = container.record.config.Tty ?? false;
    const timestamps = booleanQuery(query, "timestamps");
    const follow = booleanQuery(query, "follow") ? followOptions(container) : undefined;
    const sink = reply.stream(outputStreamType(tty, minor));
    for await (const entries of readLogs(path, logQuery, follow, signal)) {
      await sink.write(logBytes(entries, { tty, timestamps }));
    }
    sink.end();
  },
});

/** `all` and everything that is no number mean all. */
function tailQuery(query: URLSearchParams): number | undefined {
  const text = query.get("tail") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A container that was never started can still begin to write. */
const followOptions = (container: Container): FollowOptions => ({
  hasEnded: () => !container.isLive && container.status !== "created",
  onEnd: (ended) => {
    const controller = new AbortController();
    container.exits.wait(controller.signal).then(ended, () => undefined);
    return () => controller.abort();
  },
});
