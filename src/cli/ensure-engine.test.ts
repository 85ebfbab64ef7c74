import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine } from "./ensure-engine.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** An "engine" of the given program text, which finds its socket in SOCKET and its directory in DIR. */
function engineOf(source: string) {
  const directory = mkdtempSync(join(tmpdir(), "ensure-engine-"));
  directories.push(directory);
  const socketPath = join(directory, "engine.sock");
  const script = join(directory, "engine.ts");
  const names = `const SOCKET = ${JSON.stringify(socketPath)}; const DIR = ${JSON.stringify(directory)};`;
  writeFileSync(script, `${names}\n${source}`);
  const logPath = join(directory, "logs", "engine.log");
  return { directory, start: { socketPath, command: [process.execPath, script], logPath } };
}

test("waits until the engine listens, which lives in a session of its own", async () => {
  const { directory, start } = engineOf(`
    import { writeFileSync } from "node:fs";
    await Bun.sleep(30);
    writeFileSync(DIR + "/pid", String(process.pid));
    console.log("engine says hello");
    const server = Bun.listen({ unix: SOCKET, socket: { data() {}, open() {} } });
    setTimeout(() => server.stop(true), 1000).unref();
    setTimeout(() => process.exit(0), 2000);
  `);
  await startEngine(start);
  const pid = Number(readFileSync(join(directory, "pid"), "utf8"));
  try {
    // Fields after the name in parentheses: state, parent, process group, session.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    expect(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]).toBe(String(pid));
    expect(readFileSync(start.logPath, "utf8")).toContain("engine says hello");
  } finally {
    process.kill(pid, "SIGKILL");
  }
});

test("an engine that fails is reported with its last words", async () => {
  const { start } = engineOf(
    'console.error("cannot open the store: read-only file system"); process.exit(1);',
  );
  const failure = startEngine(start);
  expect(failure).rejects.toThrow(
    "the engine ended with 1 when it was started:\ncannot open the store: read-only file system",
  );
  await failure.catch(() => {});
});

test("an engine that was there first is as good", async () => {
  const { start } = engineOf('console.error("another engine holds the lock"); process.exit(1);');
  const server = Bun.listen({ unix: start.socketPath, socket: { data() {} } });
  try {
    await startEngine(start);
  } finally {
    server.stop(true);
  }
});

test("a directory that cannot be written says so", async () => {
  const { start } = engineOf("");
  const failure = startEngine({ ...start, logPath: "/proc/nothing/engine.log" });
  expect(failure).rejects.toThrow("cannot start an engine");
  await failure.catch(() => {});
});
