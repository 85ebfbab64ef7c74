import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../fixtures/command.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";

/** A request to the engine as another user of the machine makes it. */
async function pingAs(engine: TestEngine, uid: number, gid: number) {
  chmodSync(engine.directory, 0o755); // so that only the socket's own mode decides
  const who = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  return command([...who, "curl", "-sS", "--unix-socket", engine.socket, "http://localhost/_ping"]);
}

describe("rule 7: the socket", () => {
  test("belongs to root alone", async () => {
    await using engine = await TestEngine.start({ name: "rule-7" });
    const { mode, uid, gid } = statSync(engine.socket);
    expect({ mode: mode & 0o7777, uid, gid }).toEqual({ mode: 0o660, uid: 0, gid: 0 });
    expect((await pingAs(engine, 0, 0)).stdout).toBe("OK");
    const other = await pingAs(engine, 65534, 65534);
    expect(other.exitCode).not.toBe(0);
    expect(other.stdout).toBe("");
  });

  test("belongs to a group that is named, and to nobody else", async () => {
    await using engine = await TestEngine.start({ name: "rule-7", args: ["--group", "4242"] });
    const { mode, uid, gid } = statSync(engine.socket);
    expect({ mode: mode & 0o7777, uid, gid }).toEqual({ mode: 0o660, uid: 0, gid: 4242 });
    expect((await pingAs(engine, 65534, 4242)).stdout).toBe("OK");
    expect((await pingAs(engine, 65534, 65534)).stdout).toBe("");
  });

  test.each([
    "tcp://127.0.0.1:0",
    "tcp://0.0.0.0:2375",
    "http://127.0.0.1:2375",
    "https://127.0.0.1:2376",
    "fd://",
    "127.0.0.1:2375",
  ])("engine --host %s is refused before anything is made", async (host) => {
    const directory = scratchDirectory("rule-7");
    const root = join(directory, "root");
    const args = [
      "--root",
      root,
      "--state",
      `${root}-state`,
      "--host",
      `unix://${root}.sock`,
      "--host",
      host,
    ];
    const { exitCode, stderr } = await command([gantryPath, "engine", ...args]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(`--host ${host}`);
    expect([root, `${root}.sock`].filter(existsSync)).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});
