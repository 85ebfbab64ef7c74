import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

const machine = useMachine("push", []);
let destination: TestRegistry;
beforeAll(async () => {
  destination = await TestRegistry.start();
});
afterAll(() => destination[Symbol.asyncDispose]());

const inspect = async (reference: string) =>
  JSON.parse(await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${reference}`]));

describe.each(clients)("push, with %s", (client) => {
  test.each(["busybox:latest", "debian:ten"])(
    "%s arrives as it was pulled: the same digest, by skopeo's account",
    async (name) => {
      const { engine, registry } = machine;
      const source = `${registry.host}/${name}`;
      const target = `${destination.host}/${client}/${name}`;
      await engine.must(client, "pull", source);
      await engine.must(client, "tag", source, target);
      const before = await inspect(source);

      const first = await engine.must(client, "push", target);
      const repository = target.slice(0, target.lastIndexOf(":"));
      expect(first).toStartWith(`The push refers to repository [${repository}]\n`);
      expect(first).toMatch(new RegExp(`${target.split(":").at(-1)}: digest: ${before.Digest} size: \\d+`));
      expect(first.match(/: (Pushed|Mounted from .*)$/gm)).toHaveLength(before.Layers.length);
      const after = await inspect(target);
      expect(after.Digest).toBe(before.Digest);
      expect(after.Layers).toEqual(before.Layers);

      const second = await engine.must(client, "push", target);
      expect(second.match(/: Layer already exists$/gm)).toHaveLength(before.Layers.length);
      expect(second).not.toContain("Pushed");
      const digests = await engine.must(client, "image", "inspect", "-f", "{{json .RepoDigests}}", target);
      expect(JSON.parse(digests)).toContain(`${repository}@${before.Digest}`);
    },
    120_000,
  );

  test("another repository of the same registry gets the layers mounted", async () => {
    const { engine } = machine;
    const from = `${destination.host}/${client}/busybox:latest`;
    const target = `${destination.host}/${client}/mounted:one`;
    await engine.must(client, "tag", from, target);
    const output = await engine.must(client, "push", target);
    expect(output).toMatch(/: Mounted from [a-z]+\/busybox$/m);
    expect(output).not.toContain("Pushed");
    expect((await inspect(target)).Digest).toBe((await inspect(from)).Digest);
  });

  test("all tags of a repository", async () => {
    const { engine } = machine;
    const repository = `${destination.host}/${client}/many`;
    for (const tag of ["a", "b"])
      await engine.must(
        client,
        "tag",
        `${destination.host}/${client}/busybox:latest`,
        `${repository}:${tag}`,
      );
    const output = await engine.must(client, "push", "-a", repository);
    expect(output).toMatch(/^a: digest: /m);
    expect(output).toMatch(/^b: digest: /m);
    expect((await inspect(`${repository}:b`)).RepoTags.sort()).toEqual(["a", "b"]);
  });

  test("what is not here is said so", async () => {
    const { exitCode, stderr } = await machine.engine[client](["push", `${destination.host}/nothing`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`An image does not exist locally with the tag: ${destination.host}/nothing`);
  });

  test("a registry that nobody listens on is an error with its address", async () => {
    const { engine, registry } = machine;
    await engine.must(client, "pull", `${registry.host}/busybox`);
    await engine.must(client, "tag", `${registry.host}/busybox`, "127.0.0.1:1/x");
    const { exitCode, stderr } = await engine[client](["push", "127.0.0.1:1/x"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("127.0.0.1:1/v2/");
  });
});

test("a push event names what was pushed", async () => {
  const { engine, registry } = machine;
  const target = `${destination.host}/events/busybox:latest`;
  await engine.must("gantry", "pull", `${registry.host}/busybox`);
  await engine.must("gantry", "tag", `${registry.host}/busybox`, target);
  const since = Math.floor(Date.now() / 1000) - 1;
  expect(await engine.must("gantry", "push", "-q", target)).toBe(target);
  const until = Math.floor(Date.now() / 1000) + 1;
  const events = await engine.must(
    "gantry",
    "events",
    "--since",
    `${since}`,
    "--until",
    `${until}`,
    "--filter",
    "event=push",
  );
  expect(events).toContain(`image push ${target}`);
});

test("a registry with passwords takes what the client's configuration has, and refuses others", async () => {
  const credentials = { username: "ann", password: "secret" };
  await using registry = await TestRegistry.start({ credentials });
  const { engine } = machine;
  const target = `${registry.host}/busybox:latest`;
  await engine.must("gantry", "pull", `${machine.registry.host}/busybox`);
  await engine.must("gantry", "tag", `${machine.registry.host}/busybox`, target);
  const refused = await engine.gantry(["push", target], { env: { DOCKER_CONFIG: "/nonexistent" } });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("no basic auth credentials");
  const directory = `${engine.directory}/config`;
  const auth = Buffer.from("ann:secret").toString("base64");
  await Bun.write(`${directory}/config.json`, JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const pushed = await engine.gantry(["push", target], { env: { DOCKER_CONFIG: directory } });
  expect(pushed.stderr).toBe("");
  expect(pushed.stdout).toMatch(/: Pushed$/m);
});

test.each(clients)("%s login asks the registry, and a push after it is allowed", async (client) => {
  await using registry = await TestRegistry.start({ credentials: { username: "ann", password: "secret" } });
  const { engine } = machine;
  const env = { DOCKER_CONFIG: `${engine.directory}/${client}-config` };
  const login = (password: string) =>
    engine[client](["login", "-u", "ann", "-p", password, registry.host], { env });
  const refused = await login("wrong");
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("failed with status: 401 Unauthorized");
  expect((await login("secret")).stdout).toContain("Login Succeeded");
  await engine.must("gantry", "pull", `${machine.registry.host}/busybox`);
  await engine.must("gantry", "tag", `${machine.registry.host}/busybox`, `${registry.host}/x`);
  for (const each of clients) {
    const pushed = await engine[each](["push", `${registry.host}/x`], { env });
    expect(pushed.stdout).toContain("digest: sha256:");
  }
  const logout = await engine[client](["logout", registry.host], { env });
  expect(logout.stdout).toBe(`Removing login credentials for ${registry.host}\n`);
  expect((await engine.gantry(["push", `${registry.host}/x`], { env })).exitCode).toBe(1);
});
