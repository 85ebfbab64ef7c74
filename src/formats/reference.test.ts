import { expect, test } from "bun:test";
import { picker } from "../../tests/fixtures/random.ts";
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseImageName,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
  withDigest,
  withTag,
} from "./reference.ts";

const hex = "0123456789abcdef".repeat(4);
const digest = `sha256:${hex}` as const;

test.each([
  // written, canonical, familiar
  ["busybox", "docker.io/library/busybox", "busybox"],
  ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
  ["library/busybox", "docker.io/library/busybox", "busybox"],
  ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
  ["index.docker.io/busybox", "docker.io/library/busybox", "busybox"],
  ["docker.io/library/busybox:a", "docker.io/library/busybox:a", "busybox:a"],
  ["user/app", "docker.io/user/app", "user/app"],
  ["library/user/app", "docker.io/library/user/app", "library/user/app"],
  ["a/b/c:t", "docker.io/a/b/c:t", "a/b/c:t"],
  ["localhost/app", "localhost/app", "localhost/app"],
  ["localhost:5000/app:t", "localhost:5000/app:t", "localhost:5000/app:t"],
  ["127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b"],
  ["[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"],
  ["quay.io/org/app:v1", "quay.io/org/app:v1", "quay.io/org/app:v1"],
  ["Host/app", "Host/app", "Host/app"],
  [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
  [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`, `busybox:1@${digest}`],
  ["x:_.-A", "docker.io/library/x:_.-A", "x:_.-A"],
  ["localhost:latest", "docker.io/library/localhost:latest", "localhost:latest"],
  ["localhost", "docker.io/library/localhost", "localhost"],
  ["127.0.0.1:5000", "docker.io/library/127.0.0.1:5000", "127.0.0.1:5000"], // without a slash no host
  ["docker.io", "docker.io/library/docker.io", "docker.io"],
  ["index.docker.io/user/app", "docker.io/user/app", "user/app"],
  ["docker.io:443/app", "docker.io:443/app", "docker.io:443/app"],
  ["registry-1.docker.io/library/a", "registry-1.docker.io/library/a", "registry-1.docker.io/library/a"],
  ["LOCALHOST/app", "LOCALHOST/app", "LOCALHOST/app"],
  ["Docker.io/app", "Docker.io/app", "Docker.io/app"], // hosts are compared by their letters
  ["a.b", "docker.io/library/a.b", "a.b"],
  ["a.b/c", "a.b/c", "a.b/c"],
  ["a_b/c", "docker.io/a_b/c", "a_b/c"],
  ["a--b__c_e-0/d.f", "docker.io/a--b__c_e-0/d.f", "a--b__c_e-0/d.f"],
  ["xn--bcher-kva.example:1/a", "xn--bcher-kva.example:1/a", "xn--bcher-kva.example:1/a"],
  ["[2001:DB8::1]/a", "[2001:DB8::1]/a", "[2001:DB8::1]/a"],
  ["host:0/a", "host:0/a", "host:0/a"],
  ["sha256:abc", "docker.io/library/sha256:abc", "sha256:abc"],
  [hex.slice(1), `docker.io/library/${hex.slice(1)}`, hex.slice(1)],
  [`user/${hex}`, `docker.io/user/${hex}`, `user/${hex}`],
  [`a@sha512:${hex}${hex}`, `docker.io/library/a@sha512:${hex}${hex}`, `a@sha512:${hex}${hex}`],
  [`h.i:1/a/b:t@${digest}`, `h.i:1/a/b:t@${digest}`, `h.i:1/a/b:t@${digest}`],
  [`a:${"t".repeat(128)}`, `docker.io/library/a:${"t".repeat(128)}`, `a:${"t".repeat(128)}`],
  [`h.i/${"a".repeat(255)}`, `h.i/${"a".repeat(255)}`, `h.i/${"a".repeat(255)}`],
  ["b".repeat(247), `docker.io/library/${"b".repeat(247)}`, "b".repeat(247)],
])("%p is %p, shown as %p", (written, canonical, familiar) => {
  const reference = parseReference(written);
  expect(canonicalReference(reference)).toBe(canonical);
  expect(familiarReference(reference)).toBe(familiar);
  expect(parseReference(canonical)).toEqual(reference);
  expect(parseReference(familiar)).toEqual(reference);
});

test.each([
  ["", "invalid reference format"],
  [" ", "invalid reference format"],
  ["busybox:", "invalid reference format"],
  ["busybox:a:b", "invalid reference format"],
  ["busybox@", "invalid reference format"],
  ["busybox@sha256:abc", "invalid reference format"],
  [`busybox@sha256:${hex}0`, "invalid checksum digest length"],
  [`busybox@sha256:${hex.toUpperCase()}`, "invalid checksum digest format"],
  [`busybox@sha512:${hex}`, "invalid checksum digest length"],
  [`busybox@md5:${hex}`, "unsupported digest algorithm"],
  [`busybox@sha384:${hex}${hex.slice(32)}`, "unsupported digest algorithm"],
  [`busybox@${digest}@${digest}`, "invalid reference format"],
  [`@${digest}`, "invalid reference format"],
  [":tag", "invalid reference format"],
  ["busybox-", "invalid reference format"],
  ["_busybox", "invalid reference format"],
  ["busy.-box", "invalid reference format"],
  ["büsybox", "invalid reference format"],
  ["busybox ", "invalid reference format"],
  ["busy%62ox", "invalid reference format"],
  ["busybox\0", "invalid reference format"],
  ["a/./b", "invalid reference format"],
  ["::1/a", "invalid reference format"],
  ["[::1/a", "invalid reference format"],
  ["[fe80::1%eth0]/a", "invalid reference format"],
  ["user@host.example/a", "invalid reference format"],
  ["-host.example/a", "invalid reference format"],
  ["host.example./a", "invalid reference format"],
  ["host.example:/a", "invalid reference format"],
  ["host.example:-1/a", "invalid reference format"],
  ["host.example/", "invalid reference format"],
  ["localhost/library/../a", "invalid reference format"],
  [`busybox@${digest}:tag`, "invalid reference format"],
  ["-busybox", "invalid reference format"],
  ["busy..box", "invalid reference format"],
  ["busy___box", "invalid reference format"],
  ["busybox/", "invalid reference format"],
  ["/busybox", "invalid reference format"],
  ["a//b", "invalid reference format"],
  ["../etc/passwd", "invalid reference format"],
  ["busybox:-tag", "invalid reference format"],
  [`busybox:${"t".repeat(129)}`, "invalid reference format"],
  ["busybox\n", "invalid reference format"],
  ["a.b_c/x", "invalid reference format"], // a dot makes it a domain, and an underscore none
  ["http://127.0.0.1/app", "invalid reference format"],
  ["host:port/app", "invalid reference format"],
  ["Foo", "invalid reference format: repository name (library/Foo) must be lowercase"],
  ["user/Foo:tag", "invalid reference format: repository name (user/Foo) must be lowercase"],
  ["127.0.0.1:5000/Foo", "invalid reference format: repository name (Foo) must be lowercase"],
  ["My_org/app", "repository name must be lowercase"],
  [`a@SHA256:${hex}`, "invalid reference format: repository name (library/a@SHA256) must be lowercase"],
  [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  [`${"a/".repeat(128)}b`, "repository name must not be more than 255 characters"],
  [`h.i/${"a".repeat(256)}`, "repository name must not be more than 255 characters"],
  ["b".repeat(248), "repository name must not be more than 255 characters"], // with `library/`
])("%p fails with %p", (written, message) => {
  expect(() => parseReference(written)).toThrow(new RegExp(`^${RegExp.escape(message)}$`));
});

test("the default tag is added only where neither tag nor digest is", () => {
  expect(canonicalReference(withDefaultTag(parseReference("a")))).toBe("docker.io/library/a:latest");
  expect(withDefaultTag(parseReference("a:t")).tag).toBe("t");
  expect(withDefaultTag(parseReference(`a@${digest}`)).tag).toBeUndefined();
});

test("tag and digest replace each other", () => {
  const reference = parseReference("quay.io/a/b:t");
  expect(familiarReference(withDigest(reference, digest))).toBe(`quay.io/a/b@${digest}`);
  expect(familiarReference(withTag(withDigest(reference, digest), "u"))).toBe("quay.io/a/b:u");
  expect(() => withTag(reference, "a b")).toThrow("invalid tag format");
  expect(repositoryName(reference)).toBe("quay.io/a/b");
  expect(familiarName(reference)).toBe("quay.io/a/b");
});

test("64 hex digits and a whole digest are ids, all else is a name", () => {
  expect(parseImageName(hex)).toEqual({ kind: "id", digest });
  expect(parseImageName(digest)).toEqual({ kind: "id", digest });
  expect(parseImageName(hex.slice(1)).kind).toBe("name");
});

test("what parses can be written and parsed again", () => {
  const pick = picker(7);
  const alphabet = [..."ab0.:/@_-A["].concat("localhost", "docker.io", "library", `@${digest}`);
  let parsed = 0;
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: pick([1, 2, 3, 4, 5, 6, 7]) }, () => pick(alphabet)).join("");
    let reference: Reference;
    try {
      reference = parseReference(text);
    } catch (error) {
      expect(error).toHaveProperty("kind", "InvalidParameter");
      continue;
    }
    parsed++;
    expectRoundTrip(reference);
  }
  expect(parsed).toBeGreaterThan(500);
});

test("what the grammar makes is taken, and taken apart as it was put together", () => {
  const pick = picker(11);
  const hosts = [
    "localhost",
    "a.b",
    "A",
    "h:1",
    "127.0.0.1",
    "127.0.0.1:65535",
    "[::1]",
    "[2001:db8::a]:5000",
  ];
  const word = () => pick(["a", "0", "x9", "library", "docker", "z".repeat(40), hex]);
  const component = () => word() + pick(["", `.${word()}`, `_${word()}`, `__${word()}`, `---${word()}`]);
  for (let round = 0; round < 2000; round++) {
    const domain = pick(hosts);
    const path = Array.from({ length: pick([1, 2, 3]) }, component).join("/");
    const tag = pick([undefined, "latest", "_", "1.0-rc.1", "A".repeat(128)]);
    const of = pick([undefined, digest, `sha512:${hex}${hex}` as const]);
    const written = `${domain}/${path}${tag ? `:${tag}` : ""}${of ? `@${of}` : ""}`;
    if (path.length > 255) {
      expect(() => parseReference(written)).toThrow("must not be more than 255 characters");
      continue;
    }
    const reference = parseReference(written);
    expect(reference).toEqual({ domain, path, tag, digest: of });
    expectRoundTrip(reference);
  }
});

function expectRoundTrip(reference: Reference): void {
  expect(parseReference(canonicalReference(reference))).toEqual(reference);
  // 64 hex digits alone would be an id; only the whole name can say that they are none.
  if (familiarReference(reference) !== hex)
    expect(parseReference(familiarReference(reference))).toEqual(reference);
}
