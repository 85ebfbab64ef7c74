import type { Attacher } from "../../../engine/containers/attach.ts";
import type { Container } from "../../../engine/containers/container.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { parseDetachKeys } from "../../../engine/containers/detach-keys.ts";
import { logPath } from "../../../engine/containers/log-config.ts";
import { readLogs } from "../../../engine/containers/logs/read-logs.ts";
import { byteSink } from "../byte-sink.ts";
import { logBytes } from "../log-bytes.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";
import { outputStreamType } from "./stream-type.ts";

export const containerAttachRoute = (store: ContainerStore, attacher: Attacher): Route => ({
  method: "POST",
  path: "/containers/{id}/attach",
  handle: async ({ params, query, minor, signal }, reply) => {
    const container = store.get(params.id ?? "");
    const detachKeys = parseDetachKeys(query.get("detachKeys") ?? undefined);
    attacher.check(container);
    const tty = container.record.config.Tty ?? false;
    const streams = { stdout: booleanQuery(query, "stdout"), stderr: booleanQuery(query, "stderr") };
    const client = reply.hijack(outputStreamType(tty, minor));
    if (booleanQuery(query, "logs")) {
      const sink = byteSink(client.output);
      for await (const chunk of pastOutput(store, container, { ...streams, tty }, signal))
        await sink.write(chunk);
    }
    if (!booleanQuery(query, "stream")) {
      client.output.end();
      return;
    }
    try {
      await attacher.attach(
        container,
        { ...streams, stdin: booleanQuery(query, "stdin"), detachKeys },
        client,
      );
    } catch (error) {
      client.output.end(); // it ended between the question and now
      throw error;
    }
  },
});

async function* pastOutput(
  store: ContainerStore,
  container: Container,
  { tty, stdout, stderr }: { tty: boolean; stdout: boolean; stderr: boolean },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const path = logPath(store.directory(container.id), container.record);
  if (path === undefined) return;
  const query = { stdout, stderr, sinceNs: undefined, untilNs: undefined, tail: undefined };
  for await (const entries of readLogs(path, query, undefined, signal)) {
    yield logBytes(entries, { tty, timestamps: false });
  }
}
