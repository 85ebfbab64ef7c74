import { expect, test } from "bun:test";
import { parseContainerName, randomName } from "./container-name.ts";

test.each([["web"], ["u"], ["web-1.a_b"], ["0x"]])("%p is a name", (name) => {
  expect(parseContainerName(name)).toBe(name);
  expect(parseContainerName(`/${name}`)).toBe(name);
});

test.each([[""], ["-web"], ["we/b"], ["a b"], ["über"]])("%p is refused with Docker's wording", (name) => {
  expect(() => parseContainerName(name)).toThrow(
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
});

test("a random name is a valid name", () => {
  const name = randomName(() => false);
  expect(name).toMatch(/^[a-z]+_[a-z]+$/);
  expect(parseContainerName(name)).toBe(name);
});

test("a random name is never one that is taken", () => {
  let asked = 0;
  const name = randomName(() => ++asked <= 20);
  expect(asked).toBe(21);
  expect(name).toMatch(/^[a-z]+_[a-z]+\d+$/);
});
