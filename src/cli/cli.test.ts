import { expect, test } from "bun:test";
import { commands, findCommand, groupMembers } from "./commands.ts";
import { engineAddress } from "./engine-address.ts";
import { json, startFakeEngine } from "./testing/fake-engine.ts";
import { call, fakeWorld } from "./testing/fake-world.ts";

const nowhere = "unix:///nonexistent/gantry.sock";

test.each([
  [["ps"], "ps", 1],
  [["container", "ls"], "ps", 2],
  [["image", "rm"], "rmi", 2],
  [["container", "run"], "run", 2],
  [["network", "inspect"], "network inspect", 2],
] as const)("%p is found", (words, name, used) => {
  const found = findCommand(words);
  expect([found?.entry.name, found?.used]).toEqual([name, used]);
});

test("no name stands for two commands", () => {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(names.length).toBe(new Set(names).size);
});

test("every command builds, and no letter stands for two of its flags", () => {
  for (const { name, define } of commands) {
    const shorts = Object.values(define().flags).flatMap(({ short }) => short ?? []);
    expect({ name, shorts }).toEqual({ name, shorts: [...new Set(shorts)] });
  }
});

test("a group lists its commands by the names they have there", () => {
  expect(groupMembers("image").map(({ name }) => name)).toEqual([
    "explain",
    "history",
    "import",
    "inspect",
    "load",
    "ls",
    "mount",
    "prune",
    "pull",
    "push",
    "rm",
    "save",
    "tag",
    "unmount",
  ]);
});

test("every help text prints on standard output and exits with 0", async () => {
  for (const { name } of commands) {
    const result = await call(fakeWorld(), nowhere, [...name.split(" "), "--help"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout).toStartWith(`Usage:  gantry ${name} `);
  }
});

test.each<readonly [string, readonly string[], number, string]>([
  [
    "an unknown flag",
    ["ps", "--bogus"],
    125,
    "unknown flag: --bogus\n\nUsage:  gantry ps [OPTIONS]\n\nRun 'gantry ps --help' for more information\n",
  ],
  [
    "a flag that is not built",
    ["run", "--link", "a", "b"],
    125,
    "--link is not supported by this version of gantry\n",
  ],
  [
    "too many arguments",
    ["ps", "a"],
    1,
    "gantry: 'gantry ps' accepts no arguments\n\nUsage:  gantry ps [OPTIONS]\n\nRun 'gantry ps --help' for more information\n",
  ],
  ["too few arguments", ["run"], 1, "gantry: 'gantry run' requires at least 1 argument\n"],
  [
    "an unknown command",
    ["foo"],
    1,
    "gantry: unknown command: gantry foo\n\nRun 'gantry --help' for more information\n",
  ],
  ["an unknown command of a group", ["image", "foo"], 1, "gantry: unknown command: gantry image foo\n"],
  [
    "an unknown global flag",
    ["--foo", "ps"],
    125,
    "unknown flag: --foo\n\nUsage:  gantry [OPTIONS] COMMAND [ARG...]\n",
  ],
  [
    "no engine",
    ["ps"],
    1,
    `gantry: cannot connect to the gantry engine at ${nowhere}: no such socket\nhint: is it running?`,
  ],
])("%s", async (_, argv, exitCode, message) => {
  const result = await call(fakeWorld(), nowhere, argv);
  expect(result).toMatchObject({ exitCode, stdout: "" });
  expect(result.stderr).toStartWith(message);
});

test("the engine's socket: flag, then environment, then the default", () => {
  expect(engineAddress("unix:///a", "unix:///b")).toEqual({ address: { unix: "/a" }, isDefault: false });
  expect(engineAddress(undefined, "unix:///b")).toEqual({ address: { unix: "/b" }, isDefault: false });
  expect(engineAddress(undefined, "")).toMatchObject({ isDefault: true });
  expect(() => engineAddress("tcp://127.0.0.1:2375", undefined)).toThrow("TCP needs TLS client certificates");
  expect(() => engineAddress(`unix:///${"x".repeat(107)}`, undefined)).toThrow("longer than the 107 bytes");
  expect(() => engineAddress("ssh://x", undefined)).toThrow("unable to parse host");
});

test("several objects: each failure is named, the others are done", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /containers/a/stop", (_, response) => response.writeHead(204).end());
  engine.on("POST /containers/c/stop", (_, response) => response.writeHead(304).end());
  engine.on("POST /containers/b/stop", json(404, { message: "No such container: b", hint: "look at `ps`" }));
  const result = await call(fakeWorld(), engine.host, ["stop", "-t", "0", "a", "b", "c"]);
  expect(result).toEqual({
    exitCode: 1,
    stdout: "a\nc\n",
    stderr: "gantry: No such container: b\nhint: look at `ps`\n",
  });
  expect(engine.seen.map(({ line }) => line)).toContain("POST /containers/a/stop?t=0");
});

test("inspect tries containers, images and networks, and prints what it found", async () => {
  await using engine = await startFakeEngine();
  const missing = json(404, { message: "no such thing" });
  engine.on("GET /", missing);
  engine.on("GET /images/busybox/json", json(200, { Id: "i1" }));
  engine.on("GET /networks/bridge", json(200, { Name: "bridge" }));
  const result = await call(fakeWorld(), engine.host, ["inspect", "busybox", "nope", "bridge"]);
  expect(JSON.parse(result.stdout)).toEqual([{ Id: "i1" }, { Name: "bridge" }]);
  expect(result).toMatchObject({ exitCode: 1, stderr: "gantry: no such object: nope\n" });
});

test("logs are shown by the framing that the engine names", async () => {
  await using engine = await startFakeEngine();
  const framed = Buffer.from([2, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from("err\n")]);
  engine.on("GET /containers/f/logs", (_, response) => {
    response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" }).end(framed);
  });
  engine.on("GET /containers/t/logs", (_, response) => {
    response.writeHead(200, { "Content-Type": "application/vnd.docker.raw-stream" }).end("tty\r\n");
  });
  expect(await call(fakeWorld(), engine.host, ["logs", "f"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "err\n",
  });
  expect((await call(fakeWorld(), engine.host, ["logs", "-n", "1", "t"])).stdout).toBe("tty\r\n");
});

test("exec ends with the exit code of its process", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /containers/c/exec", json(201, { Id: "e1" }));
  engine.onHijack("POST /exec/e1/start", (_, socket) => {
    socket.end(
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nUpgrade: tcp\r\n\r\n",
    );
  });
  engine.on("GET /exec/e1/json", json(200, { ExitCode: 42, Running: false }));
  const result = await call(fakeWorld(), engine.host, ["exec", "-e", "A=1", "c", "sh", "-c", "exit 42"]);
  expect(result).toEqual({ exitCode: 42, stdout: "", stderr: "" });
  expect(JSON.parse(engine.seen[0]?.body ?? "")).toMatchObject({
    Cmd: ["sh", "-c", "exit 42"],
    Env: ["A=1"],
  });
});

test("a load streams the archive and shows what came of it", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /images/load", (request, response) => {
    response.end(`{"stream":"Loaded image: ${request.body}\\n"}\r\n`);
  });
  async function* stdin() {
    yield Buffer.from("busy");
    yield Buffer.from("box");
  }
  const result = await call(fakeWorld({ stdin }), engine.host, ["load"]);
  expect(result).toEqual({ exitCode: 0, stdout: "Loaded image: busybox\n", stderr: "" });
  const missing = await call(fakeWorld(), engine.host, ["load", "-i", "/proc/nothing"]);
  expect(missing).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "gantry: open /proc/nothing: no such file or directory\n",
  });
});
