import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryAuth } from "./progress/registry-auth.ts";
import { forgetCredentials, registryKey, storeCredentials } from "./stored-credentials.ts";

let directory: string;
let path: string;
const env = () => ({ DOCKER_CONFIG: directory });
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-credentials-"));
  path = join(directory, "config.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("what is stored is what a pull sends, and only its owner can read it", () => {
  storeCredentials(env(), "r.example:5000", "ann", "a:b");
  const sent = registryAuth("r.example:5000", env()) ?? "";
  expect(JSON.parse(Buffer.from(sent, "base64url").toString())).toEqual({
    username: "ann",
    password: "a:b",
    serveraddress: "r.example:5000",
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("everything else in the file stays", () => {
  writeFileSync(path, JSON.stringify({ auths: { other: { auth: "x" } }, HttpHeaders: { a: "b" } }));
  storeCredentials(env(), "r", "ann", "x");
  expect(forgetCredentials(env(), "r")).toBe(true);
  expect(forgetCredentials(env(), "r")).toBe(false);
  const left = { auths: { other: { auth: "x" } }, HttpHeaders: { a: "b" } };
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(left);
});

test("a broken file is not replaced, and a helper's registry is refused", () => {
  writeFileSync(path, "{");
  expect(() => storeCredentials(env(), "r", "ann", "x")).toThrow(`read ${path}`);
  expect(readFileSync(path, "utf8")).toBe("{");
  writeFileSync(path, JSON.stringify({ credsStore: "pass" }));
  expect(() => storeCredentials(env(), "r", "ann", "x")).toThrow("credential helpers (pass)");
});

test.each([
  [undefined, "https://index.docker.io/v1/"],
  ["docker.io", "https://index.docker.io/v1/"],
  ["https://r.example/v2/", "r.example"],
  ["127.0.0.1:5000", "127.0.0.1:5000"],
])("the server %p is kept as %s", (server, key) => expect(registryKey(server)).toBe(key));
