import { expect, test } from "bun:test";
import { parseCredentials } from "./credentials.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("credentials are read from base64url, without empty fields", () => {
  const header = encode({ username: "ann", password: "é?>", email: "x", identitytoken: "" });
  expect(parseCredentials(header)).toEqual({ username: "ann", password: "é?>" });
});

test.each([[undefined], [""], ["%%%"], [encode({})], [encode("text")], [encode(null)]])(
  "%p is anonymous",
  (header) => {
    expect(parseCredentials(header)).toBeUndefined();
  },
);
