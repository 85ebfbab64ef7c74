import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeEngine, json, startFakeEngine } from "./testing/fake-engine.ts";
import { call, type FakeWorld, fakeWorld } from "./testing/fake-world.ts";

let engine: FakeEngine;
const directory = mkdtempSync(join(tmpdir(), "login-"));
const config = join(directory, "config.json");
beforeAll(async () => {
  engine = await startFakeEngine();
  engine.on("POST /auth", ({ body }, response) => {
    const good = JSON.parse(body).password === "secret";
    json(good ? 200 : 401, good ? { Status: "Login Succeeded" } : { message: "wrong password" })(
      { line: "", body },
      response,
    );
  });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** What a person types, piece by piece; each is sent when it is asked for. */
function personTypes(...pieces: string[]): () => AsyncIterable<Uint8Array> {
  return async function* () {
    for (const piece of pieces) yield Buffer.from(piece);
  };
}

function login(world: FakeWorld, ...args: string[]) {
  return call(world, engine.host, ["login", ...args, "registry.test"]);
}

const worldOf = (terminal: boolean, ...pieces: string[]) =>
  fakeWorld({ terminal, stdin: personTypes(...pieces), env: { DOCKER_CONFIG: directory } });

describe("login", () => {
  test("asks for user and password, and hides the password alone", async () => {
    rmSync(config, { force: true });
    const world = worldOf(true, "ann\n", "secret\n");
    const result = await login(world);
    expect(result).toEqual({ exitCode: 0, stdout: "Username: Password: \nLogin Succeeded\n", stderr: "" });
    expect(world.hidden).toEqual({ active: false, changes: 1 });
    expect(JSON.parse(readFileSync(config, "utf8")).auths["registry.test"].auth).toBe(btoa("ann:secret"));
  });

  test("takes two lines that come at once", async () => {
    rmSync(config, { force: true });
    expect(await login(worldOf(true, "ann\r\nsecret\r\n"))).toMatchObject({ exitCode: 0 });
  });

  test("asks for the password alone where --username is given", async () => {
    const result = await login(worldOf(true, "secret\n"), "-u", "ann");
    expect(result).toMatchObject({ exitCode: 0, stdout: "Password: \nLogin Succeeded\n" });
  });

  test("asks again when what is kept does not hold any more, and offers the known user", async () => {
    writeFileSync(config, JSON.stringify({ auths: { "registry.test": { auth: btoa("ann:old") } } }));
    const result = await login(worldOf(true, "\n", "secret\n"));
    expect(result.stderr).toBe("Login did not succeed, error: wrong password\n");
    expect(result.stdout).toBe(
      "Authenticating with existing credentials...\nUsername (ann): Password: \nLogin Succeeded\n",
    );
  });

  test.each([
    [["\n"], "Error: Non-null Username Required"],
    [["ann\n", "\n"], "Error: Password Required"],
    [[], "Error: Non-null Username Required"],
  ])("refuses empty answers %p", async (pieces, message) => {
    rmSync(config, { force: true });
    const result = await login(worldOf(true, ...pieces));
    expect([result.exitCode, result.stderr]).toEqual([1, `gantry: ${message}\n`]);
  });

  test("does not ask without a terminal", async () => {
    rmSync(config, { force: true });
    const result = await login(worldOf(false, "ann\n", "secret\n"));
    expect([result.exitCode, result.stderr]).toEqual([
      1,
      "gantry: Error: Cannot perform an interactive login from a non TTY device\nhint: give --username and --password-stdin\n",
    ]);
  });

  test("wants a user with a password from standard input", async () => {
    const { stderr } = await login(worldOf(false, "secret"), "--password-stdin");
    expect(stderr).toBe("gantry: Must provide --username with --password-stdin\n");
  });

  test("shows what is typed again after Ctrl-C", async () => {
    rmSync(config, { force: true });
    const waiting = Promise.withResolvers<void>();
    const world = fakeWorld({
      terminal: true,
      env: { DOCKER_CONFIG: directory },
      async *stdin() {
        yield Buffer.from("ann\n");
        waiting.resolve();
        await new Promise(() => {});
      },
    });
    const result = login(world);
    await waiting.promise;
    expect(world.hidden.active).toBe(true);
    expect(world.raise("SIGINT")).toBe(1);
    expect(await result).toMatchObject({ exitCode: 130, stderr: "" });
    expect(world.hidden.active).toBe(false);
  });
});
