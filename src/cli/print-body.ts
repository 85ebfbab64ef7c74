import { StdcopyDecoder } from "../wire/stdcopy.ts";
import type { CommandContext } from "./context.ts";

/** Writes an answer to standard output as it comes. */
export async function printBody(context: CommandContext, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) await context.stdout.write(chunk);
}

/** The same for output in Docker's framing: each frame goes to the stream that it names. */
export async function printFrames(context: CommandContext, body: AsyncIterable<Uint8Array>): Promise<void> {
  let room: Promise<void> | undefined;
  const decoder = new StdcopyDecoder((stream, bytes) => {
    room = (stream === 2 ? context.stderr : context.stdout).write(bytes);
  });
  for await (const chunk of body) {
    decoder.push(chunk);
    await room;
  }
  decoder.end();
}
