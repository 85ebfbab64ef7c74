import { runCli } from "./cli.ts";
import { OwnProcessNeeded } from "./client-files.ts";
import type { EngineTransport } from "./engine-client.ts";
import { Front, type FrontStream, servedWorld } from "./served-world.ts";

export interface ServeOptions {
  /** Of this program; a front of another one is declined. */
  readonly buildId: string;
  /** The way to the engine that serves; disposed of when the command has ended or its front is gone. */
  readonly engine: EngineTransport;
}

/**
 * Runs the command that a front asks for, with the front's streams, terminal and signals. What needs the caller's files,
 * and commands that are not of this kind, are declined before anything is done: the front runs them itself.
 */
export async function serveCommand(stream: FrontStream, { buildId, engine }: ServeOptions): Promise<void> {
  const front = new Front(stream);
  front.closed.then(() => engine[Symbol.dispose]());
  try {
    const hello = await front.hello;
    if (hello.buildId !== buildId) throw new OwnProcessNeeded();
    const exitCode = await runCli(hello.argv, servedWorld(front, hello, engine));
    front.end("exit", Uint8Array.of(exitCode));
  } catch {
    front.end("decline"); // OwnProcessNeeded, or a peer that is no front
  } finally {
    engine[Symbol.dispose]();
  }
}
