import { expect, test } from "bun:test";
import type { Registries } from "../../core/transfer/contract.ts";
import type { Filters } from "../filters.ts";
import { ImageSearch, splitTerm } from "./image-search.ts";

test.each([
  ["nginx", "docker.io", "nginx"],
  ["library/nginx", "docker.io", "nginx"],
  ["team/nginx", "docker.io", "team/nginx"],
  ["docker.io/team/nginx", "docker.io", "team/nginx"],
  ["localhost/nginx", "localhost", "nginx"],
  ["localhost:5000/team/nginx", "localhost:5000", "team/nginx"],
  ["registry.example/", "registry.example", ""],
])("%s is searched at %s for %p", (term, domain, rest) => expect(splitTerm(term)).toEqual({ domain, rest }));

const hits = [
  { name: "one", description: "", stars: 3, isOfficial: true },
  { name: "two", description: "", stars: 10, isOfficial: false },
];
const registries = { search: async () => hits } as Partial<Registries> as Registries;

async function search(filters: Filters, limit?: number): Promise<string[]> {
  const { signal } = new AbortController();
  const request = { term: "x", limit, filters, credentials: undefined, signal };
  const found = await new ImageSearch(async () => registries).search(request);
  return found.map(({ name }) => name);
}

test.each([
  [{}, ["one", "two"]],
  [{ stars: ["4"] }, ["two"]],
  [{ "is-official": ["true"] }, ["one"]],
  [{ "is-official": ["false"] }, ["two"]],
  [{ "is-automated": ["true"] }, []],
  [{ "is-automated": ["false"] }, ["one", "two"]],
])("filters %j leave %j", async (filters, names) => {
  expect(await search(new Map(Object.entries(filters)))).toEqual(names);
});

test("what cannot be right is refused in Docker's words", async () => {
  expect(search(new Map([["stars", ["many"]]]))).rejects.toThrow("invalid filter 'stars=[many]'");
  expect(search(new Map([["colour", ["red"]]]))).rejects.toThrow("invalid filter 'colour'");
  expect(search(new Map(), 101)).rejects.toThrow("limit 101 is outside the range of [1, 100]");
  expect(() => splitTerm("https://a.example/x")).toThrow("should not have a scheme");
});
