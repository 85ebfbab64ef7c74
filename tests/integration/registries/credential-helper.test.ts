import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

const directory = scratchDirectory("credential-helper");
const held = join(directory, "held");
const config = join(directory, "config.json");
const env = { DOCKER_CONFIG: directory, PATH: `${directory}:${process.env.PATH}` };
const helper = `#!/bin/sh
case $1 in
store) cat > ${held} ;;
erase) rm -f ${held} ;;
get) cat ${held} 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
`;

let registry: TestRegistry;
let engine: TestEngine;
beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "docker-credential-test"), helper, { mode: 0o755 });
  registry = await TestRegistry.start({ credentials: { username: "ann", password: "secret" } });
  engine = await TestEngine.start({ name: "credential-helper" });
  await engine.load(await busyboxArchive(`${registry.host}/app:1`));
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

async function run(client: Client, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await engine[client](args, { env, input: "secret\n" });
  if (exitCode !== 0) throw new Error(`${client} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

test.each([clients, [...clients].reverse()])("what %s keeps with a helper, %s uses", async (one, other) => {
  writeFileSync(config, JSON.stringify({ credsStore: "test", detachKeys: "ctrl-x" }));
  expect(await run(one, "login", "-u", "ann", "--password-stdin", registry.host)).toContain(
    "Login Succeeded",
  );
  expect(JSON.parse(readFileSync(held, "utf8"))).toEqual({
    ServerURL: registry.host,
    Username: "ann",
    Secret: "secret",
  });
  expect(readFileSync(config, "utf8")).not.toContain(btoa("ann:secret"));
  for (const client of [one, other])
    expect(await run(client, "push", `${registry.host}/app:1`)).toContain("digest:");
  expect(await run(other, "login", registry.host)).toContain("Login Succeeded");
  expect(await run(other, "logout", registry.host)).toContain(
    `Removing login credentials for ${registry.host}`,
  );
  expect(existsSync(held)).toBe(false);
  expect(JSON.parse(readFileSync(config, "utf8")).detachKeys).toBe("ctrl-x");
  const refused = await engine.gantry(["push", `${registry.host}/app:1`], { env });
  expect(refused.stderr).toContain("no basic auth credentials");
});
