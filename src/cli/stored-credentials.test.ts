import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processContext } from "./process-context.ts";
import { registryAuth } from "./progress/registry-auth.ts";
import { findCredentials, forgetCredentials, registryKey, storeCredentials } from "./stored-credentials.ts";

const clientWith = (env: Record<string, string>) => ({ env, files: processContext().files });

const ann = { username: "ann", password: "x" };
let directory: string;
let path: string;
const env = () => ({ DOCKER_CONFIG: directory });
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-credentials-"));
  path = join(directory, "config.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("what is stored is what a pull sends, and only its owner can read it", () => {
  storeCredentials(env(), "r.example:5000", { username: "ann", password: "a:b" });
  const sent = registryAuth("r.example:5000", clientWith(env())) ?? "";
  expect(JSON.parse(Buffer.from(sent, "base64url").toString())).toEqual({
    username: "ann",
    password: "a:b",
    serveraddress: "r.example:5000",
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("everything else in the file stays", () => {
  writeFileSync(path, JSON.stringify({ auths: { other: { auth: "x" } }, HttpHeaders: { a: "b" } }));
  storeCredentials(env(), "r", ann);
  expect(forgetCredentials(env(), "r")).toBe(true);
  expect(forgetCredentials(env(), "r")).toBe(false);
  const left = { auths: { other: { auth: "x" } }, HttpHeaders: { a: "b" } };
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(left);
});

test("a broken file is not replaced", () => {
  writeFileSync(path, "{");
  expect(() => storeCredentials(env(), "r", ann)).toThrow(`read ${path}`);
  expect(readFileSync(path, "utf8")).toBe("{");
});

test("a link to the file stays one", () => {
  const real = join(directory, "real.json");
  writeFileSync(real, "{}");
  symlinkSync(real, path);
  storeCredentials(env(), "r", ann);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toContain('"auths"');
});

test("an identity token takes the password's place", () => {
  storeCredentials(env(), "r", { ...ann, identitytoken: "T" });
  expect(findCredentials(clientWith(env()), "r")).toEqual({
    username: "ann",
    password: "",
    identitytoken: "T",
    serveraddress: "r",
  });
  expect(readFileSync(path, "utf8")).not.toContain(Buffer.from("ann:x").toString("base64"));
});

test("the environment comes before the file, and a key may be a URL", () => {
  const auth = Buffer.from("bob:y").toString("base64");
  const auths = { "https://r/v2/": { auth } };
  writeFileSync(path, JSON.stringify({ auths }));
  const bob = { username: "bob", password: "y", serveraddress: "r" };
  expect(findCredentials(clientWith(env()), "r")).toEqual(bob);
  storeCredentials(env(), "r", ann);
  expect(findCredentials(clientWith(env()), "r")?.username).toBe("ann");
  expect(
    findCredentials(clientWith({ ...env(), DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) }), "r"),
  ).toEqual(bob);
});

describe("a credential helper", () => {
  /** Keeps one file for each registry, in Docker's protocol, and a list of what it was asked. */
  const helper = `#!/bin/sh
cd "$HELPER_STATE" || exit 1
input=$(cat); echo "$1" >> calls
case $1 in
store) printf %s "$input" > held ;;
erase) rm -f held ;;
get) [ -f held ] || { echo "credentials not found in native keychain"; exit 1; }; cat held ;;
esac
`;
  let withHelper: Record<string, string>;
  beforeEach(() => {
    writeFileSync(join(directory, "docker-credential-test"), helper, { mode: 0o755 });
    withHelper = { ...env(), PATH: `${directory}:/usr/bin:/bin`, HELPER_STATE: directory };
  });
  const held = () => JSON.parse(readFileSync(join(directory, "held"), "utf8"));

  test("keeps what a login was made with, and the file says only that there is one", () => {
    const config = { credsStore: "test", auths: { r: { auth: "old" } }, detachKeys: "ctrl-x" };
    writeFileSync(path, JSON.stringify(config));
    expect(findCredentials(clientWith(withHelper), "r")).toBeDefined(); // of the file, as long as the helper has none
    storeCredentials(withHelper, "r", ann);
    expect(held()).toEqual({ ServerURL: "r", Username: "ann", Secret: "x" });
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ ...config, auths: { r: {} } });
    expect(findCredentials(clientWith(withHelper), "r")).toEqual({ ...ann, serveraddress: "r" });
    expect(forgetCredentials(withHelper, "r")).toBe(true);
    expect(forgetCredentials(withHelper, "r")).toBe(false);
    expect(readFileSync(join(directory, "calls"), "utf8").split("\n")).toContain("erase");
  });

  test("of one registry alone is not asked for others", () => {
    writeFileSync(path, JSON.stringify({ credHelpers: { r: "test" } }));
    storeCredentials(withHelper, "other", ann);
    expect(existsSync(join(directory, "calls"))).toBe(false);
    storeCredentials(withHelper, "r", { ...ann, identitytoken: "T" });
    expect(held()).toEqual({ ServerURL: "r", Username: "<token>", Secret: "T" });
    expect(findCredentials(clientWith(withHelper), "r")).toEqual({ identitytoken: "T", serveraddress: "r" });
  });

  test("that is missing, fails or talks nonsense is named, and its secrets are not", () => {
    writeFileSync(path, JSON.stringify({ credsStore: "none" }));
    expect(() => findCredentials(clientWith(withHelper), "r")).toThrow(
      'exec: "docker-credential-none": executable file not found in $PATH',
    );
    writeFileSync(path, JSON.stringify({ credsStore: "test" }));
    writeFileSync(join(directory, "held"), '{"Username":"ann"}');
    const failed = "error getting credentials with docker-credential-test: ";
    expect(() => findCredentials(clientWith(withHelper), "r")).toThrow(
      `${failed}its answer is not what it should be`,
    );
    writeFileSync(join(directory, "docker-credential-test"), "#!/bin/sh\necho locked; exit 1\n", {
      mode: 0o755,
    });
    expect(() => findCredentials(clientWith(withHelper), "r")).toThrow(`${failed}locked`);
    expect(() => storeCredentials(withHelper, "r", ann)).toThrow("error storing credentials with");
  });
});

test.each([
  [undefined, "https://index.docker.io/v1/"],
  ["docker.io", "https://index.docker.io/v1/"],
  ["https://r.example/v2/", "r.example"],
  ["127.0.0.1:5000", "127.0.0.1:5000"],
])("the server %p is kept as %s", (server, key) => expect(registryKey(server)).toBe(key));
