import { expect, test } from "bun:test";
import { BasicAuth, parseHtpasswd } from "./htpasswd.ts";

const hash = await Bun.password.hash("right:one", { algorithm: "bcrypt", cost: 4 });
const basic = (text: string) => `Basic ${btoa(text)}`;

test.each(["$2a$", "$2b$", "$2y$"])("takes bcrypt hashes that begin with %s", async (prefix) => {
  const users = parseHtpasswd(`# staff\n\nann:${hash.replace("$2b$", prefix)}\r\n`, "users");
  const auth = new BasicAuth(users);
  expect(await auth.userOf(basic("ann:right:one"))).toBe("ann");
  expect(await auth.userOf(basic("ann:wrong"))).toBeUndefined();
});

test.each([
  "ann:$apr1$abc$def", // MD5
  "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
  "ann:plain",
  "ann",
  `:${hash}`,
])("refuses the line %s", (line) => {
  expect(() => parseHtpasswd(`bob:${hash}\n${line}`, "users")).toThrow("users line 2");
});

test.each([
  undefined,
  "",
  "Bearer x",
  "Basic ???",
  basic("ann"),
  basic(":right:one"),
  basic("eve:right:one"), // somebody else's password
])("%p lets nobody in, also after a right one was remembered", async (header) => {
  const auth = new BasicAuth(new Map([["ann", hash]]));
  expect(await auth.userOf(basic("ann:right:one"))).toBe("ann");
  expect(await auth.userOf(header)).toBeUndefined();
});

test("of a long password the first 72 bytes count, as everywhere with bcrypt", async () => {
  // crypt("x" * 100) of libxcrypt, as `htpasswd -B` and Debian's docker-registry have it
  const long = "$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
  const auth = new BasicAuth(new Map([["robot", long]]));
  expect(await auth.userOf(basic(`robot:${"x".repeat(100)}`))).toBe("robot");
  expect(await auth.userOf(basic(`robot:${"x".repeat(71)}`))).toBeUndefined();
});

test("without users there is nobody", async () => {
  expect(await new BasicAuth(new Map()).userOf(basic("ann:right:one"))).toBeUndefined();
});
