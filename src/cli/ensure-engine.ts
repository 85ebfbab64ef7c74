/** Starts an engine on the default socket when a command finds none there. */
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../errors/platform-error.ts";
import { StreamSocket } from "../wire/stream-socket.ts";
import { CommandError } from "./command-error.ts";
import { defaultSocketPath } from "./engine-address.ts";

const patienceMs = 10_000;
const pollMs = 5;

export interface EngineStart {
  readonly socketPath: string;
  /** The words that start an engine: this very program. */
  readonly command: readonly string[];
  readonly logPath: string;
}

export function defaultEngineStart(): EngineStart {
  return {
    socketPath: defaultSocketPath,
    command: [...ownProgram(), "engine"],
    logPath: join(dirname(defaultSocketPath), "engine.log"),
  };
}

/**
 * Spawns the engine in a session of its own and waits until its socket answers. Two commands at a time may both
 * do so: the engine that comes second gives up its place, and either command finds the first one.
 * Errors: CommandError with the last words of the engine's log.
 */
export async function startEngine({ socketPath, command, logPath }: EngineStart): Promise<void> {
  const logStart = sizeOf(logPath);
  const child = spawnDetached(command, logPath);
  const deadline = Date.now() + patienceMs;
  while (!(await listens(socketPath))) {
    const exited = child.exitCode ?? child.signalCode;
    if (exited !== null && exited !== 0 && !(await listensSoon(socketPath))) {
      throw failure(`the engine ended with ${exited} when it was started`, logPath, logStart);
    }
    if (Date.now() > deadline) {
      throw failure(
        `the engine does not answer on ${socketPath} after ${patienceMs / 1000} s`,
        logPath,
        logStart,
      );
    }
    await Bun.sleep(pollMs);
  }
}

function ownProgram(): string[] {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath] : [process.execPath, Bun.main];
}

function spawnDetached(command: readonly string[], logPath: string) {
  let log: number;
  try {
    mkdirSync(dirname(logPath), { recursive: true, mode: 0o711 });
    log = openSync(logPath, "a", 0o600);
  } catch (cause) {
    throw new CommandError(`cannot start an engine: ${messageOf(cause)}`, {
      hint: "the engine needs root; name the socket of a running one with -H or GANTRY_HOST",
      cause,
    });
  }
  try {
    const child = Bun.spawn([...command], { stdio: ["ignore", log, log], cwd: "/", detached: true });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function listens(socketPath: string): Promise<boolean> {
  try {
    const socket = await StreamSocket.connect({ unix: socketPath }, { data: () => {}, end: () => {} });
    socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/** Our engine may have lost the race against another one that is about to listen. */
async function listensSoon(socketPath: string): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (await listens(socketPath)) return true;
    await Bun.sleep(pollMs);
  }
  return false;
}

function failure(message: string, logPath: string, logStart: number): CommandError {
  const lines = tail(logPath, logStart);
  return new CommandError(lines === "" ? message : `${message}:\n${lines}`, {
    exitCode: 125,
    hint: `its log is ${logPath}; run \`gantry engine\` in a terminal to see it start`,
  });
}

function tail(path: string, from: number): string {
  try {
    return readFileSync(path).subarray(from).toString().trim().split("\n").slice(-5).join("\n");
  } catch {
    return "";
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
