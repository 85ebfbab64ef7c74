import type { Progress } from "../../core/transfer/contract.ts";
import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { ByteSink } from "./byte-sink.ts";
import { jsonContentType, type Reply } from "./reply.ts";

/** Messages that may wait for a slow client; progress beyond that is dropped, since newer numbers follow. */
const maximumPending = 64;

/**
 * Docker's progress stream: JSON objects, each followed by CR LF. engine-api, section 5.
 *
 * The header goes out with the first message: an operation that fails before it is an ordinary error reply; one that
 * fails later ends the stream with `errorDetail`.
 */
export async function progressStream(
  reply: Reply,
  operation: (onProgress: (progress: Progress) => void) => Promise<void>,
): Promise<void> {
  let sink: ByteSink | undefined;
  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  const send = (message: object): void => {
    sink ??= reply.stream(jsonContentType);
    pending++;
    last = sink.write(`${JSON.stringify(message)}\r\n`).finally(() => pending--);
  };
  const isDroppable = (progress: Progress): boolean =>
    pending > maximumPending && progress.progressDetail?.current !== undefined;
  try {
    await operation((progress) => {
      if (!isDroppable(progress)) send(progress);
    });
  } catch (error) {
    if (!sink) throw error;
    send({ ...hintOf(error), errorDetail: { message: messageOf(error) }, error: messageOf(error) });
  }
  await last;
  (sink ?? reply.stream(jsonContentType)).end();
}

const hintOf = (error: unknown): { hint?: string } =>
  error instanceof PlatformError && error.hint !== undefined ? { hint: error.hint } : {};
