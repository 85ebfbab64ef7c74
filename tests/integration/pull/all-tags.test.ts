import { afterAll, beforeAll, expect, test } from "bun:test";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { pushImage } from "./push-image.ts";

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  engine = await TestEngine.start({ name: "all-tags" });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 30_000);

test.each(clients)("%s pulls all tags of a repository", async (client) => {
  const name = `${client}/many`;
  const base = [{ name: "base", content: client }];
  for (const tag of ["a", "b", "c"]) {
    const layers = [base, [{ name: "tag", content: tag === "c" ? "b" : tag }]];
    await pushImage(registry.host, name, tag, { layers, compression: "gzip", format: "oci" });
  }
  const repository = `${registry.host}/${name}`;
  const output = await engine.must(client, "pull", "-a", repository);
  expect([...(output.match(/^[abc]: Pulling from .*$/gm) ?? [])]).toEqual(
    ["a", "b", "c"].map((tag) => `${tag}: Pulling from ${name}`),
  );
  expect(output).toContain(`Status: Downloaded newer image for ${repository}\n`);
  expect(output).toEndWith(repository);
  const tags = await engine.must(client, "images", "--format", "{{.Tag}}", repository);
  expect(tags.split("\n").sort()).toEqual(["a", "b", "c"]);
  expect(await engine.must(client, "pull", "-a", repository)).toContain("Status: Image is up to date");

  const refused = await engine[client](["pull", "-a", `${repository}:a`]);
  expect(refused.exitCode).not.toBe(0);
  const none = await engine[client](["pull", "-a", `${registry.host}/none`]);
  expect(none).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`${registry.host}/none not found`),
  });
});
