import type { ByteSink } from "./byte-sink.ts";
import { type Reply, tarStreamType } from "./reply.ts";

/**
 * The reply is a tar that `operation` writes. What fails before its first byte is an ordinary error reply; what
 * fails later breaks the connection, so that nobody takes a part for the whole.
 */
export async function tarStream(
  reply: Reply,
  operation: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  let sink: ByteSink | undefined;
  try {
    await operation(async (chunk) => {
      sink ??= reply.stream(tarStreamType);
      await sink.write(chunk);
    });
  } catch (error) {
    sink?.fail();
    throw error;
  }
  (sink ?? reply.stream(tarStreamType)).end();
}
