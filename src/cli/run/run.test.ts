import { expect, test } from "bun:test";
import type { Duplex } from "node:stream";
import { encodeFrame } from "../../wire/stdcopy.ts";
import { empty, type FakeEngine, json, startFakeEngine, upgraded } from "../testing/fake-engine.ts";
import { call, fakeWorld } from "../testing/fake-world.ts";

/** A container that writes `output` once started and ends with `exitCode`. */
function scriptRun(engine: FakeEngine, script: { exitCode: number; output?: Uint8Array; framed?: boolean }) {
  const { exitCode, output = new Uint8Array(0), framed = true } = script;
  const parts: { socket?: Duplex; endWait?: () => void } = {};
  engine.on("POST /containers/create", json(201, { Id: "c1", Warnings: ["swap is not limited"] }));
  engine.onHijack("POST /containers/c1/attach", (_, socket) => {
    socket.write(upgraded(framed));
    parts.socket = socket;
  });
  engine.on("POST /containers/c1/wait", (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    parts.endWait = () => response.end(JSON.stringify({ StatusCode: exitCode }));
  });
  engine.on("POST /containers/c1/start", (_, response) => {
    response.writeHead(204).end();
    parts.endWait?.();
    parts.socket?.end(output);
  });
  return parts;
}

const help = "\nRun 'gantry run --help' for more information\n";

const lines = (engine: FakeEngine) => engine.seen.map(({ line }) => line);

test("attach and wait are open before the start, and the exit code is the container's", async () => {
  await using engine = await startFakeEngine();
  scriptRun(engine, {
    exitCode: 7,
    output: Buffer.concat([encodeFrame(1, Buffer.from("out\n")), encodeFrame(2, Buffer.from("err\n"))]),
  });
  const result = await call(fakeWorld(), engine.host, ["run", "--rm", "busybox", "sh", "-c", "exit 7"]);
  expect(result).toEqual({ exitCode: 7, stdout: "out\n", stderr: "WARNING: swap is not limited\nerr\n" });
  expect(lines(engine)[0]).toBe("POST /containers/create");
  expect(lines(engine).slice(1, 3).sort()).toEqual([
    "POST /containers/c1/attach?stream=1&stdout=1&stderr=1",
    "POST /containers/c1/wait?condition=removed",
  ]);
  expect(lines(engine).slice(3)).toEqual(["POST /containers/c1/start"]);
});

test("output that comes after the exit code is written before the end", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 0 });
  engine.on("POST /containers/c1/start", (_, response) => {
    response.writeHead(204).end();
    parts.endWait?.();
    setTimeout(() => parts.socket?.end(encodeFrame(1, Buffer.from("late"))), 20);
  });
  expect((await call(fakeWorld(), engine.host, ["run", "busybox"])).stdout).toBe("late");
});

test("-d prints the id and does not attach", async () => {
  await using engine = await startFakeEngine();
  scriptRun(engine, { exitCode: 0 });
  const result = await call(fakeWorld(), engine.host, ["run", "-d", "busybox"]);
  expect(result.stdout).toBe("c1\n");
  expect(lines(engine)).toEqual(["POST /containers/create", "POST /containers/c1/start"]);
});

test("a missing image is pulled, with progress on standard error", async () => {
  await using engine = await startFakeEngine();
  scriptRun(engine, { exitCode: 0 });
  let pulled = false;
  const created = json(201, { Id: "c1" });
  engine.on("POST /containers/create", (request, response) =>
    (pulled ? created : json(404, { message: "No such image: busybox:latest" }))(request, response),
  );
  engine.on("POST /images/create", (_, response) => {
    pulled = true;
    response.writeHead(200);
    response.write('{"status":"Pulling from library/busybox","id":"latest"}\r\n{"status":"Downl');
    response.end(
      'oading","progressDetail":{"current":1,"total":9},"id":"aa"}\r\n{"status":"Pull complete","progressDetail":{},"id":"aa"}\r\n',
    );
  });
  const result = await call(fakeWorld(), engine.host, ["run", "busybox"]);
  expect(result.exitCode).toBe(0);
  expect(result.stderr).toBe(
    "Unable to find image 'busybox:latest' locally\nlatest: Pulling from library/busybox\naa: Pull complete\n",
  );
  expect(lines(engine)[1]).toBe("POST /images/create?fromImage=docker.io%2Flibrary%2Fbusybox&tag=latest");
});

test("a failing pull ends with 125 and creates nothing", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /containers/create", json(404, { message: "No such image: busybox:latest" }));
  engine.on("POST /images/create", (_, response) => {
    response.writeHead(200);
    response.end('{"errorDetail":{"message":"blob is cut"},"error":"blob is cut","hint":"try again"}\r\n');
  });
  const result = await call(fakeWorld(), engine.host, ["run", "-q", "busybox"]);
  expect(result).toEqual({
    exitCode: 125,
    stdout: "",
    stderr: `gantry: blob is cut\nhint: try again\n${help}`,
  });
});

test("--pull never leaves a missing image missing", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /containers/create", json(404, { message: "No such image: busybox:latest" }));
  const result = await call(fakeWorld(), engine.host, ["run", "--pull", "never", "busybox"]);
  expect(result).toEqual({
    exitCode: 125,
    stdout: "",
    stderr: `gantry: No such image: busybox:latest\n${help}`,
  });
});

test.each([
  ['exec: "nope": executable file not found in $PATH', 127],
  ["exec /x: permission denied", 126],
  ["mount /proc: operation not permitted", 125],
])("a start that fails with %p exits with %p", async (message, exitCode) => {
  await using engine = await startFakeEngine();
  scriptRun(engine, { exitCode: 0 });
  engine.on("POST /containers/c1/start", json(400, { message, hint: "look at the image" }));
  const result = await call(fakeWorld(), engine.host, ["run", "busybox", "nope"]);
  expect(result.exitCode).toBe(exitCode);
  expect(result.stderr).toEndWith(`gantry: ${message}\nhint: look at the image\n${help}`);
});

test("a name in use exits with 125", async () => {
  await using engine = await startFakeEngine();
  engine.on("POST /containers/create?name=x", json(409, { message: "Conflict. The name is in use" }));
  const result = await call(fakeWorld(), engine.host, ["run", "--name", "x", "busybox"]);
  expect(result).toEqual({
    exitCode: 125,
    stdout: "",
    stderr: `gantry: Conflict. The name is in use\n${help}`,
  });
});

test("piped input reaches the process and its end becomes a half-close", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 0 });
  let received = "";
  engine.on("POST /containers/c1/start", (_, response) => {
    response.writeHead(204).end();
    parts.socket?.on("data", (chunk: Buffer) => {
      received += chunk;
    });
    parts.socket?.on("end", () => {
      parts.socket?.end(encodeFrame(1, Buffer.from(received.toUpperCase())));
      parts.endWait?.();
    });
    parts.socket?.resume();
  });
  async function* stdin() {
    yield Buffer.from("some ");
    yield Buffer.from("input");
  }
  const result = await call(fakeWorld({ stdin }), engine.host, ["run", "-i", "busybox", "cat"]);
  expect(result).toMatchObject({ exitCode: 0, stdout: "SOME INPUT" });
});

test("a terminal is raw while the process runs, sized, and restored", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 3, framed: false });
  engine.on("POST /containers/c1/start", empty(204));
  const world = fakeWorld({ terminal: true, stdin: () => pending() });
  engine.on("POST /containers/c1/resize?h=24&w=80", (_, response) => {
    expect(world.raw).toEqual({ active: true, changes: 1 });
    response.writeHead(200).end();
    parts.socket?.end("raw output");
    parts.endWait?.();
  });
  const result = await call(world, engine.host, ["run", "-it", "busybox", "sh"]);
  expect(result).toMatchObject({ exitCode: 3, stdout: "raw output" });
  expect(world.raw.active).toBe(false);
  expect(JSON.parse(engine.seen[0]?.body ?? "")).toMatchObject({ HostConfig: { ConsoleSize: [24, 80] } });
});

test("the detach keys end the command with 0, and the process lives on", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 9, framed: false });
  const closed = Promise.withResolvers<void>();
  let received = "";
  engine.on("POST /containers/c1/start", (_, response) => {
    parts.socket?.on("data", (chunk: Buffer) => {
      received += chunk;
    });
    parts.socket?.on("close", () => closed.resolve());
    parts.socket?.on("end", () => parts.socket?.end());
    response.writeHead(204).end();
  });
  engine.on("POST /containers/c1/resize", empty(200));
  async function* stdin() {
    yield Buffer.from("ls\r\x10");
    await Bun.sleep(5);
    yield Buffer.from("\x11");
    await pending().next();
  }
  const world = fakeWorld({ terminal: true, stdin });
  expect((await call(world, engine.host, ["run", "-it", "busybox"])).exitCode).toBe(0);
  expect(received).toBe("ls\r");
  expect(world.raw.active).toBe(false);
  await closed.promise; // nothing of the command keeps its process alive
});

test("signals are passed on, unless told otherwise", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 143 });
  const world = fakeWorld();
  engine.on("POST /containers/c1/start", (_, response) => {
    response.writeHead(204).end();
    world.raise("SIGTERM");
  });
  engine.on("POST /containers/c1/kill?signal=TERM", (_, response) => {
    response.writeHead(204).end();
    parts.endWait?.();
    parts.socket?.end();
  });
  expect((await call(world, engine.host, ["run", "busybox"])).exitCode).toBe(143);
  expect(world.raise("SIGTERM")).toBe(0); // let go of afterwards
});

test("-it with input from a pipe is refused before anything is made", async () => {
  await using engine = await startFakeEngine();
  const result = await call(fakeWorld(), engine.host, ["run", "-it", "busybox"]);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toStartWith("gantry: the input device is not a TTY\n");
  expect(engine.seen).toEqual([]);
});

test("an engine that dies in the middle is an error, not an exit code", async () => {
  await using engine = await startFakeEngine();
  const parts = scriptRun(engine, { exitCode: 0 });
  engine.on("POST /containers/c1/wait", (_, response) => {
    response.writeHead(200).flushHeaders();
    parts.endWait = () => response.socket?.destroy();
  });
  const result = await call(fakeWorld(), engine.host, ["run", "busybox"]);
  expect(result.exitCode).toBe(125);
  expect(result.stderr).toContain("closed the connection");
});

/** Input that never comes. */
async function* pending(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
}
