import { expect, test } from "bun:test";
import { bool, bytes, encodeFilters, filters, integer, list, notBuilt, text } from "./flag-kinds.ts";
import { parseFlags } from "./flags.ts";

const table = {
  detach: bool("", { short: "d" }),
  env: list("", { short: "e" }),
  hostname: text("", { short: "h" }),
  interactive: bool("", { short: "i" }),
  link: notBuilt("list"),
  memory: bytes("", { short: "m" }),
  name: text(""),
  "sig-proxy": bool("", { initial: true }),
  tail: integer("", { short: "n" }),
  tty: bool("", { short: "t" }),
};

const parse = (argv: readonly string[], interspersed = false) => parseFlags(table, argv, { interspersed });

test("long and short forms, bundles and repeated flags", () => {
  const { values, args } = parse([
    "-it",
    "--name=x",
    "-e",
    "A=1",
    "-eB=2",
    "-m",
    "256m",
    "--tail",
    "-5",
    "img",
    "-d",
  ]);
  expect(values).toMatchObject({
    interactive: true,
    tty: true,
    name: "x",
    env: ["A=1", "B=2"],
    memory: 256 << 20,
    tail: -5,
    detach: false,
  });
  expect(args).toEqual(["img", "-d"]);
});

test("flags behind arguments count only where they may", () => {
  expect(parse(["a", "-d", "b"], true)).toMatchObject({ args: ["a", "b"], values: { detach: true } });
  expect(parse(["a", "--", "-d"], true)).toMatchObject({ args: ["a", "-d"], values: { detach: false } });
  expect(parse(["-"], true).args).toEqual(["-"]);
});

test("a flag that takes no value can be turned off", () => {
  expect(parse(["--sig-proxy=false", "-d=false", "-it=0"]).values).toMatchObject({
    "sig-proxy": false,
    detach: false,
    interactive: true,
    tty: false,
  });
});

test("which flags were given is known", () => {
  expect([...parse(["-d", "--name", ""]).given]).toEqual(["detach", "name"]);
});

test("help is asked for by --help, and by -h where that is no flag", () => {
  expect(parse(["--help"]).help).toBe(true);
  expect(parseFlags({}, ["-h"], { interspersed: true }).help).toBe(true);
  expect(parse(["-h", "box"]).values.hostname).toBe("box");
});

test.each([
  [["--bogus"], "unknown flag: --bogus"],
  [["--bogus=1"], "unknown flag: --bogus"],
  [["-dx"], "unknown shorthand flag: 'x' in -dx"],
  [["--name"], "flag needs an argument: --name"],
  [["-e"], "flag needs an argument: 'e' in -e"],
  [["-m", "abc"], `invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'`],
  [["--detach=maybe"], `invalid argument "maybe" for "-d, --detach" flag: "maybe" is neither true nor false`],
  [["--tail", "x"], `invalid argument "x" for "-n, --tail" flag: "x" is not a whole number`],
  [["--link", "a"], "--link is not supported by this version of gantry"],
  [["--=x"], "bad flag syntax: --=x"],
] as const)("%p is refused", (argv, message) => {
  expect(() => parse(argv)).toThrow(message);
});

test("filters become the API's JSON", () => {
  const flags = { filter: filters() };
  const { values } = parseFlags(flags, ["-f", "label=a=b", "--filter", "Status=exited", "-f", "label=c"], {
    interspersed: true,
  });
  expect(encodeFilters(values.filter)).toBe('{"label":{"a=b":true,"c":true},"status":{"exited":true}}');
  expect(encodeFilters([])).toBeUndefined();
  expect(() => parseFlags(flags, ["-f", "x"], { interspersed: true })).toThrow("format of name=value");
});
