import { expect, test } from "bun:test";
import { parseRegistryOptions } from "./registry-options.ts";

const parse = (...argv: string[]) => parseRegistryOptions(["--root", "/r", ...argv]);

test.each([
  ["127.0.0.1:5000", "127.0.0.1", 5000],
  ["127.9.9.9:0", "127.9.9.9", 0],
  ["[::1]:80", "::1", 80],
  ["localhost:80", "localhost", 80],
])("%s is loopback and needs nothing more", (address, host, port) => {
  expect(parse("--addr", address)).toMatchObject({ host, port, exposed: false });
});

test.each(["0.0.0.0:80", ":80", "192.0.2.1:80", "[::]:80"])("%s needs TLS or --insecure", (address) => {
  expect(() => parse("--addr", address)).toThrow("without TLS only this machine is served");
  expect(parse("--addr", address, "--insecure")?.exposed).toBe(true);
  expect(parse("--addr", address, "--tls-cert", "/c", "--tls-key", "/k")?.exposed).toBe(false);
});

test.each([
  [["--addr", "1.2.3:80"], "expected an IP address"],
  [["--addr", "127.0.0.1"], "expected an IP address"],
  [["--addr", "127.0.0.1:65536"], "expected an IP address"],
  [["--addr", "::1:80"], "expected an IP address"],
  [["--tls-key", "/k"], "belong together"],
  [["--log-level", "loud"], "--log-level loud"],
  [["--root", "relative"], "not an absolute directory"],
  [["--what"], "--what"],
  [["--gc-untagged"], "--gc-untagged without --gc-interval"],
  [["--gc-grace", "1h"], "--gc-grace without --gc-interval"],
  [["--gc-grace", "1h", "--proxy", "https://x"], "--gc-grace with --proxy"],
])("refuses %j", (argv, message) => {
  expect(() => parse(...argv)).toThrow(message);
});

test.each([
  [["--gc-interval", "1h", "--gc-grace", "1m", "--gc-untagged"]],
  [["--proxy", "https://x", "--gc-upload-age", "1h"]],
])("takes %j", (argv) => {
  expect(parse(...argv)?.collectionIntervalMs).toBe(3600_000);
});

test("asks for a root", () => {
  expect(() => parseRegistryOptions([])).toThrow("--root is missing");
});
