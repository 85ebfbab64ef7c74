import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../../fixtures/certificates.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

/** A registry whose name leads nowhere: `hosts.toml` says where it is, and who has copies. */
const name = "hosts.test";
const directory = scratchDirectory("hosts-file");
const hosts = join(directory, "certs.d", name);
const credentials = { username: "ann", password: "secret" };
let mirror: TestRegistry;
let server: TestRegistry;
let engine: TestEngine;

beforeAll(async () => {
  mkdirSync(hosts, { recursive: true });
  const authority = await TestAuthority.create(directory);
  const client = await authority.issue("client");
  const tls = { ...(await authority.issue("mirror")), clientCa: authority.cert };
  mirror = await TestRegistry.start({ credentials, tls });
  server = await TestRegistry.start();
  const text = `
server = "http://${server.host}"
[host."https://${mirror.host}"]
  capabilities = ["pull", "resolve"]
  client = [["${client.cert}", "${client.key}"]]
`;
  writeFileSync(join(hosts, "hosts.toml"), text);
  const config = join(directory, "engine.json");
  writeFileSync(config, "{}");
  engine = await TestEngine.start({ name: "hosts-file", args: ["--config-file", config] });
  await engine.load(await busyboxArchive(`${name}/app:1`));
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await mirror?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

function login(auth: string): void {
  writeFileSync(join(directory, "config.json"), JSON.stringify({ auths: { [mirror.host]: { auth } } }));
}

test("a push goes to the server that the file names", async () => {
  expect(await engine.must("docker", "push", `${name}/app:1`)).toContain("1: digest: sha256:");
  const tags = await fetch(`http://${server.host}/v2/app/tags/list`).then((answer) => answer.json());
  expect(tags).toEqual({ name: "app", tags: ["1"] });
});

test("a mirror that wants a login is left out without one, and the server has the image", async () => {
  expect(await engine.must("gantry", "pull", `${name}/app:1`)).toContain("Image is up to date");
  const { stderr } = await engine.gantry(["pull", `${name}/mirrored:1`]);
  expect(stderr).toContain(`mirrors failed before (https://${mirror.host}/: `);
  expect(stderr).toContain("no basic auth credentials");
});

test.each(clients)(
  "%s pulls from the mirror, with the engine's login and the file's certificate",
  async (user) => {
    // Only the mirror has it.
    await mirrorHas(`${user}/app`);
    login(btoa("ann:secret"));
    expect(await engine.must(user, "pull", `${name}/${user}/app:1`)).toContain(
      "Status: Downloaded newer image",
    );
    login(btoa("ann:wrong"));
    const { exitCode, stderr } = await engine[user](["pull", `${name}/${user}/app:2`]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("not found")]);
  },
);

test.each(clients)(
  "%s pushes to the host that the file lets take it, with the engine's login",
  async (user) => {
    const text = `
server = "http://${server.host}"
capabilities = ["pull", "resolve"]
[host."https://${mirror.host}"]
  capabilities = ["pull", "resolve", "push"]
  client = [["${join(directory, "client.cert")}", "${join(directory, "client.key")}"]]
  dial_timeout = "10s"
`;
    writeFileSync(join(hosts, "hosts.toml"), text);
    login(btoa("ann:secret"));
    const image = `${name}/${user}/pushed:1`;
    await engine.must(user, "tag", `${name}/app:1`, image);
    expect(await engine.must(user, "push", image)).toContain("1: digest: sha256:");
    expect((await fetch(`http://${server.host}/v2/${user}/pushed/tags/list`)).status).toBe(404);
    await engine.must(user, "rmi", image);
    expect(await engine.must(user, "pull", image)).toContain("Status: Downloaded newer image");

    writeFileSync(join(hosts, "hosts.toml"), text.replace(', "push"', ""));
    const refused = await engine[user](["push", image]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`hosts.toml of ${name}: the server is not for push`);
  },
);

test("a file that is wrong is named", async () => {
  writeFileSync(join(directory, "config.json"), "[");
  expect((await engine.gantry(["pull", `${name}/app:1`])).stderr).toContain(join(directory, "config.json"));
  rmSync(join(directory, "config.json"));
  writeFileSync(join(hosts, "hosts.toml"), '[host."https://m.test"]\nrewrite = "1s"\n');
  expect((await engine.gantry(["pull", `${name}/app:1`])).stderr).toContain(
    `${join(hosts, "hosts.toml")}: host.https://m.test.rewrite is not known`,
  );
});

/** Pushes by the mirror's own name, with the certificate of Docker's layout. */
async function mirrorHas(repository: string): Promise<void> {
  const certs = join(directory, "certs.d", mirror.host);
  mkdirSync(certs, { recursive: true });
  for (const file of ["client.cert", "client.key"]) copyFileSync(join(directory, file), join(certs, file));
  const env = { DOCKER_CONFIG: join(directory, "user") };
  const target = `${mirror.host}/${repository}:1`;
  const run = async (...args: string[]) => {
    const result = await engine.gantry(args, { env, input: credentials.password });
    if (result.exitCode !== 0) throw new Error(`${args.join(" ")}: ${result.stderr}`);
  };
  await run("login", "-u", "ann", "--password-stdin", mirror.host);
  await run("tag", `${name}/app:1`, target);
  await run("push", target);
  rmSync(certs, { recursive: true });
}
