import { expect, test } from "bun:test";
import { parseLogConfig } from "./log-config.ts";

const parse = (Config: Record<string, string>, Type = "json-file") =>
  parseLogConfig({ LogConfig: { Type, Config } });

test("without a config the log is a json-file that is never rotated", () => {
  const wanted = { driver: "json-file", maxBytes: 0, maxFiles: 1 } as const;
  expect(parseLogConfig({})).toEqual(wanted);
  expect(parse({}, "")).toEqual(wanted);
});

test.each([
  ["10m", 10 * 1024 * 1024],
  ["512", 512],
  ["1KB", 1024],
  ["2GiB", 2 * 1024 ** 3],
  ["-1", 0],
])("max-size %p is %p bytes", (text, bytes) => {
  expect(parse({ "max-size": text }).maxBytes).toBe(bytes);
});

test.each([
  [{ "max-size": "ten" }, "json-file", 'invalid value for max-size: "ten"'],
  [{ "max-size": "0" }, "json-file", 'invalid value for max-size: "0"'],
  [{ "max-size": "1m", "max-file": "0" }, "json-file", 'invalid value for max-file: "0"'],
  [{ "max-file": "3" }, "json-file", "max-file needs max-size"],
  [{ compress: "true" }, "json-file", 'log option "compress" is not built'],
  [{}, "syslog", 'log driver "syslog" is not built'],
] as const)("%p of %p is refused: %p", (config, driver, message) => {
  expect(() => parse(config, driver)).toThrow(message);
});
