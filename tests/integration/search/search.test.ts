import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, push } from "../../fixtures/images.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

/** Docker's index of old: what Docker Hub answers, and nothing of the distribution protocol. */
class FakeHub implements Disposable {
  readonly queries: string[] = [];
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname !== "/v1/search") return new Response("not found", { status: 404 });
      this.queries.push(searchParams.toString());
      const results = [
        { name: "web", description: "The\nofficial web", star_count: 120, is_official: true },
        { name: "team/web", description: "w".repeat(60), star_count: 3, is_official: false },
      ];
      return Response.json({ num_results: 2, query: searchParams.get("q"), results });
    },
  });

  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }
  [Symbol.dispose](): void {
    this.#server.stop(true);
  }
}

let engine: TestEngine;
let registry: TestRegistry;
let hub: FakeHub;
beforeAll(async () => {
  registry = await TestRegistry.start();
  const archive = await busyboxArchiveFile();
  for (const name of ["team/web", "web", "db"])
    await push(`docker-archive:${archive}`, registry, `${name}:1`);
  hub = new FakeHub();
  engine = await TestEngine.start({ name: "search" });
}, 60_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  hub[Symbol.dispose]();
});

describe.each(clients)("search, with %s", (client) => {
  test("reads the catalog of a registry, and gives names that a pull takes", async () => {
    const found = await engine.must(client, "search", "--format", "{{.Name}}", `${registry.host}/web`);
    const names = found.split("\n");
    expect(names.toSorted()).toEqual([`${registry.host}/team/web`, `${registry.host}/web`]);
    expect(await engine.must(client, "search", "--format", "{{.Name}}", `${registry.host}/nothing`)).toBe("");
    const one = await engine.must(
      client,
      "search",
      "--limit",
      "1",
      "--format",
      "{{.Name}}",
      `${registry.host}/web`,
    );
    expect(one.split("\n")).toHaveLength(1);
  });

  test("asks the index of a registry without a catalog", async () => {
    const table = await engine.must(client, "search", `${hub.host}/web`);
    const lines = table.split("\n").map((line) => line.split(/ {2,}/));
    expect(lines).toEqual([
      ["NAME", "DESCRIPTION", "STARS", "OFFICIAL"],
      [`${hub.host}/web`, "The official web", "120", "[OK]"],
      [`${hub.host}/team/web`, `${"w".repeat(44)}…`, "3", ""],
    ]);
    expect(hub.queries.at(-1)).toBe("q=web&n=25");
    const args = ["search", "-f", "stars=100", "--limit", "7", "--format", "{{.Name}} {{.IsOfficial}}"];
    expect(await engine.must(client, ...args, `${hub.host}/web`)).toBe(`${hub.host}/web [OK]`);
    expect(hub.queries.at(-1)).toBe("q=web&n=7");
  });

  test("JSON says of each whether it is official", async () => {
    const lines = (await engine.must(client, "search", "--format", "json", `${hub.host}/web`)).split("\n");
    expect(lines.map((line) => JSON.parse(line).IsOfficial)).toEqual(["true", "false"]);
  });

  test("says what is wrong", async () => {
    const limit = await engine[client](["search", "--limit", "101", `${hub.host}/web`]);
    expect(limit.stderr).toContain("limit 101 is outside the range of [1, 100]");
    const filter = await engine[client](["search", "-f", "colour=red", `${hub.host}/web`]);
    expect(filter.stderr).toContain("invalid filter 'colour'");
    expect(filter.exitCode).toBe(1);
  });
});
