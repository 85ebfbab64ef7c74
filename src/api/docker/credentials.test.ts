import { expect, test } from "bun:test";
import { parseCredentials, registryDomain } from "./credentials.ts";

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

test.each([
  ["https://index.docker.io/v1/", "docker.io"],
  ["", "docker.io"],
  [undefined, "docker.io"],
  ["127.0.0.1:5000", "127.0.0.1:5000"],
  ["https://r.example/v2/", "r.example"],
])("the server address %p means %s", (address, domain) => {
  expect(registryDomain(address)).toBe(domain);
});
