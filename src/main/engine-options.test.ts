import { expect, test } from "bun:test";
import { parseEngineOptions } from "./engine-options.ts";

test("the defaults", () => {
  expect(parseEngineOptions([])).toEqual({
    root: "/var/lib/gantry",
    state: "/run/gantry",
    sockets: ["/run/gantry/gantry.sock"],
    bridge: undefined,
    subnet: undefined,
    logLevel: "info",
    pidFile: undefined,
    group: undefined,
  });
});

test("the default socket lies in the state directory", () => {
  expect(parseEngineOptions(["--state", "/run/x/"])?.sockets).toEqual(["/run/x/gantry.sock"]);
});

test("hosts are repeatable, in both forms of flags", () => {
  const options = parseEngineOptions(["--host", "unix:///a.sock", "-H", "unix:///b.sock", "--root=/r"]);
  expect(options?.sockets).toEqual(["/a.sock", "/b.sock"]);
  expect(options?.root).toBe("/r");
});

test.each([
  ["10.1.2.1/24", "10.1.2.0/24"],
  ["172.31.128.1/17", "172.31.128.0/17"],
])("bridge address %p is subnet %p", (bip, subnet) => {
  expect(parseEngineOptions(["--bip", bip])?.subnet).toBe(subnet);
});

test("help is no set of options", () => {
  expect(parseEngineOptions(["--help"])).toBeUndefined();
});

test.each([
  [["--host", "tcp://0.0.0.0:2375"], "listening on TCP is not built yet"],
  [["--host", "/run/x.sock"], "expected unix:///path"],
  [["--host", `unix:///${"x".repeat(107)}`], "longer than the 107 bytes"],
  [["--root", "relative"], "--root relative: not an absolute directory"],
  [["--root", "/"], "--root /: not an absolute directory"],
  [["--bridge", "a-name-that-is-long"], "--bridge a-name-that-is-long"],
  [["--log-level", "loud"], "--log-level loud"],
  [["--colour"], "--colour"],
  [["word"], "word"],
  [["--bip", "10.1.2.0/24"], "10.1.2.1"],
  [["--bip", "10.1.2.1"], "--bip 10.1.2.1"],
  [["--bip", "10.1.2.1/33"], "--bip 10.1.2.1/33"],
])("%p is refused: %p", (argv, message) => {
  expect(() => parseEngineOptions(argv)).toThrow(message);
});
