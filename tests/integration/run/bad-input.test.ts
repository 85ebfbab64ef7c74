import { afterEach, describe, expect, test } from "bun:test";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { freePort } from "../../fixtures/registry.ts";

const machine = useMachine("bad-input", ["busybox"]);

/** After every refusal: no container, no half image. */
afterEach(async () => {
  expect(await machine.engine.json("GET", "/containers/json?all=1")).toEqual([]);
  expect(await machine.engine.must("gantry", "images", "--format", "{{.Repository}}")).not.toContain(
    "nothing",
  );
});

describe.each(clients)("bad input to run, with %s", (client) => {
  const run = (...args: string[]) => machine.engine[client](["run", "--rm", ...args]);

  test.each([
    ["an unknown flag", ["--no-such-flag", "busybox"], "unknown flag: --no-such-flag"],
    ["an unknown short flag", ["-Z", "busybox"], "unknown shorthand flag: 'Z' in -Z"],
    ["a flag without its value", ["-m"], "flag needs an argument: 'm' in -m"],
    ["a broken reference", ["UPPER:case:twice"], "invalid reference format"],
    [
      "a memory limit below what a container needs",
      ["-m", "1m", "busybox", "true"],
      "Minimum memory limit allowed is 6MB",
    ],
    ["a size that is none", ["-m", "lots", "busybox", "true"], "lots"],
    ["more CPUs than there are", ["--cpus", "4096", "busybox", "true"], "ange of CPUs is from 0.01 to"],
    ["an unknown capability", ["--cap-add", "FLY", "busybox", "true"], "FLY"],
    ["an unknown network", ["--network", "nowhere", "busybox", "true"], "network nowhere not found"],
    ["an unknown user", ["-u", "stranger", "busybox", "true"], "stranger"],
    ["a relative working directory", ["-w", "here", "busybox", "true"], "here"],
    ["a relative mount target", ["-v", "/tmp:data", "busybox", "true"], "data"],
    [
      "a bind source that is not there",
      ["--mount", "type=bind,source=/no/such/dir,target=/data", "busybox", "true"],
      "/no/such/dir",
    ],
    ["a port that is none", ["-p", "http:80", "busybox", "true"], "http"],
    ["a name with a space", ["--name", "two words", "busybox", "true"], "two words"],
  ] as const)("%s: exit code 125, the thing is named", async (_name, args, words) => {
    const result = await run(...args);
    expect(result.stderr).toContain(words);
    expect(result.exitCode).toBe(125);
  });

  test("no image at all", async () => {
    const result = await run();
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("requires at least 1 argument");
  });

  test("an image and a tag that the registry does not have", async () => {
    const { host } = machine.registry;
    for (const image of [`${host}/nothing:latest`, `${host}/busybox:no-such-tag`]) {
      const result = await run(image, "true");
      expect(result.exitCode).toBe(125);
      expect(result.stderr).toContain(`Unable to find image '${image}' locally`);
      expect(result.stderr).toMatch(
        new RegExp(`${image.replaceAll(/[.]/g, "\\.")}.*(not found|manifest unknown)`),
      );
    }
  });

  test("a registry that is down", async () => {
    const image = `127.0.0.1:${await freePort()}/nothing:latest`;
    const result = await run(image, "true");
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain("connection refused");
    expect(result.stderr).toContain(image.split("/")[0] ?? "");
  });

  test("a name in use, a port in use, and a container that is not there", async () => {
    const { engine } = machine;
    const port = await freePort();
    const id = await engine.must(
      client,
      "run",
      "-d",
      "--name",
      "taken",
      "-p",
      `127.0.0.1:${port}:80`,
      "busybox",
      "sleep",
      "600",
    );
    const name = await run("--name", "taken", "busybox", "true");
    expect(name.exitCode).toBe(125);
    expect(name.stderr).toContain(`The container name "/taken" is already in use by container "${id}"`);
    const published = await run("-p", `127.0.0.1:${port}:80`, "busybox", "true");
    expect(published.exitCode).toBe(125);
    expect(published.stderr).toContain(String(port));
    const missing = await engine[client](["exec", "nobody-here", "true"]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain("No such container: nobody-here");
    await engine.must(client, "rm", "-f", "taken");
  });

  test("exec in a stopped container, and a command that is not there", async () => {
    const { engine } = machine;
    await engine.must(client, "run", "-d", "--name", "target", "busybox", "sleep", "600");
    const missing = await engine[client](["exec", "target", "no-such-command"]);
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr + missing.stdout).toContain("no-such-command");
    await engine.must(client, "kill", "target");
    await engine.must(client, "wait", "target");
    const stopped = await engine[client](["exec", "target", "true"]);
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stderr).toMatch(/container [0-9a-f]{64} is not running/);
    await engine.must(client, "rm", "target");
  });
});

test("status codes of the API for the same things", async () => {
  const { engine } = machine;
  const create = async (body: unknown, name = "") => {
    const response = await engine.fetch("POST", `/containers/create?name=${name}`, body);
    return { status: response.status, message: ((await response.json()) as { message: string }).message };
  };
  expect(await create({ Image: "nothing:latest" })).toEqual({
    status: 404,
    message: "No such image: nothing:latest",
  });
  expect((await create({ Image: "busybox", HostConfig: { Memory: 1 } })).status).toBe(400);
  expect((await create({ Image: "busybox" }, "!")).status).toBe(400);
  expect((await engine.fetch("GET", "/containers/nobody/json")).status).toBe(404);
  expect((await engine.fetch("GET", "/no/such/route")).status).toBe(404);
  const broken = await fetch("http://localhost/containers/create", {
    unix: engine.socket,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{ not json",
  });
  expect(broken.status).toBe(400);
});
