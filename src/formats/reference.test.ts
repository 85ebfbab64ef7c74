import { expect, test } from "bun:test";
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseImageName,
  parseReference,
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
  [`busybox@sha256:${hex}0`, "invalid reference format"],
  [`busybox@md5:${hex}`, "invalid reference format"],
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
  [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  [`${"a/".repeat(128)}b`, "repository name must not be more than 255 characters"],
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
  const random = seededRandom(7);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const alphabet = [..."ab0.:/@_-A["].concat("localhost", "docker.io", "library", `@${digest}`);
  let parsed = 0;
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: 1 + Math.floor(random() * 7) }, () => pick(alphabet)).join("");
    let reference: ReturnType<typeof parseReference>;
    try {
      reference = parseReference(text);
    } catch (error) {
      expect(error).toHaveProperty("kind", "InvalidParameter");
      continue;
    }
    parsed++;
    expect(parseReference(canonicalReference(reference))).toEqual(reference);
    expect(parseReference(familiarReference(reference))).toEqual(reference);
  }
  expect(parsed).toBeGreaterThan(500);
});

/** Numbers in [0, 1), the same for the same seed (mulberry32's recurrence). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
