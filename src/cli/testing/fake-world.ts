/** Streams, terminal and signals of a command line under test. */
import { runCli } from "../cli.ts";
import { rootOutOfReach } from "../context.ts";
import { processContext, type World } from "../process-context.ts";

export interface FakeWorld extends World {
  readonly printed: { stdout: string; stderr: string };
  /** Calls the handlers of a signal. Out: how many there were. */
  raise(signal: NodeJS.Signals): number;
  /** Whether the terminal is in raw mode now. */
  readonly raw: { active: boolean; changes: number };
  /** Whether the terminal hides what is typed now. */
  readonly hidden: { active: boolean; changes: number };
}

export interface FakeWorldOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  /** All three streams are a terminal of 24 rows and 80 columns. */
  readonly terminal?: boolean;
  readonly nowMs?: number;
}

export function fakeWorld(options: FakeWorldOptions = {}): FakeWorld {
  const printed = { stdout: "", stderr: "" };
  const handlers = new Map<string, Set<() => void>>();
  const raw = { active: false, changes: 0 };
  const hidden = { active: false, changes: 0 };
  const change = (mode: typeof raw) => () => {
    mode.active = true;
    mode.changes++;
    return () => {
      mode.active = false;
    };
  };
  const terminal = options.terminal ?? false;
  const collect = (stream: "stdout" | "stderr") => ({
    write(data: string | Uint8Array) {
      printed[stream] += Buffer.from(data).toString();
      return undefined;
    },
  });
  return {
    printed,
    raw,
    hidden,
    raise(signal) {
      const found = [...(handlers.get(signal) ?? [])];
      for (const handler of found) handler();
      return found.length;
    },
    stdout: collect("stdout"),
    stderr: collect("stderr"),
    stdin: options.stdin ?? noInput,
    env: options.env ?? {},
    files: processContext().files,
    engineAt: processContext().engineAt,
    admit: () => {},
    terminal: {
      isTerminal: () => terminal,
      size: () => (terminal ? { rows: 24, columns: 80 } : undefined),
      raw: change(raw),
      hideTyping: change(hidden),
    },
    signals: {
      on(signal, handler) {
        const known = handlers.get(signal) ?? new Set();
        handlers.set(signal, known.add(handler));
        return () => known.delete(handler);
      },
    },
    close: () => {},
    checkRoot: rootOutOfReach,
    nowMs: () => options.nowMs ?? Date.parse("2026-01-01T12:00:00Z"),
  };
}

async function* noInput() {}

/** One call of the command line. */
export async function call(world: FakeWorld, host: string, argv: readonly string[]) {
  const exitCode = await runCli(["-H", host, ...argv], world);
  return { exitCode, ...world.printed };
}
