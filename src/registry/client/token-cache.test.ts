import { expect, test } from "bun:test";
import { TokenCache } from "./token-cache.ts";

const key = { realm: "r", service: "s", scope: "repository:a:pull", account: "" };

test("a token is good for its realm, service, scope and account, until shortly before its end", () => {
  let now = 0;
  const cache = new TokenCache(() => now);
  cache.put(key, "T", 1000);
  expect(cache.get(key)).toBe("T");
  expect(cache.get({ ...key, scope: "repository:b:pull" })).toBeUndefined();
  expect(cache.get({ ...key, account: "other" })).toBeUndefined();
  now = 899;
  expect(cache.get(key)).toBe("T");
  now = 900;
  expect(cache.get(key)).toBeUndefined();
});

test("a forgotten token is gone", () => {
  const cache = new TokenCache(() => 0);
  cache.put(key, "T", 1000);
  cache.forget(key);
  expect(cache.get(key)).toBeUndefined();
});
