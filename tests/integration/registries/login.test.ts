import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TestEngine } from "../../fixtures/engine.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { Terminal } from "../../fixtures/terminal.ts";

const directory = scratchDirectory("login");
const env = { DOCKER_CONFIG: directory };
let registry: TestRegistry;
let engine: TestEngine;
beforeAll(async () => {
  registry = await TestRegistry.start({ credentials: { username: "ann", password: "secret" } });
  engine = await TestEngine.start({ name: "login" });
}, 30_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

/** A shell in front of it: what the terminal is like afterwards matters. */
function terminal(): Terminal {
  const script = `trap : INT; "$0" login ${registry.host}; echo "ended with $?"; stty -a; read line; echo "read $line"`;
  return new Terminal(["sh", "-c", script, gantryPath], { env: { ...env, GANTRY_HOST: engine.host } });
}

test("a person logs in at a terminal, which does not show the password", async () => {
  await using screen = terminal();
  await screen.see(/Username: /);
  screen.type("ann\r");
  await screen.see(/Password: /);
  screen.type("secrex\x7ft\r");
  await screen.see(/Login Succeeded\r\nended with 0/);
  expect(screen.screen).not.toContain("secre");
  await screen.see(/ echo /);
  screen.type("seen\r");
  await screen.see(/read seen/);
  const { auths } = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  expect(auths[registry.host].auth).toBe(btoa("ann:secret"));
});

test("Ctrl-C while the password is asked for leaves a terminal that shows what is typed", async () => {
  rmSync(join(directory, "config.json"), { force: true });
  await using screen = terminal();
  await screen.see(/Username: /);
  screen.type("ann\r");
  await screen.see(/Password: /);
  screen.type("\x03");
  await screen.see(/ended with 130/);
  await screen.see(/ echo /);
});

test("without a terminal nobody is asked", async () => {
  const { exitCode, stderr } = await engine.gantry(["login", registry.host], { env, input: "ann\nsecret\n" });
  expect([exitCode, stderr]).toEqual([
    1,
    "gantry: Error: Cannot perform an interactive login from a non TTY device\nhint: give --username and --password-stdin\n",
  ]);
});
