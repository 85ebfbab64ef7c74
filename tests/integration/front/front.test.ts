import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { command } from "../../fixtures/command.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { Terminal } from "../../fixtures/terminal.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** What the command line does before Bun: docs/front-protocol.md. */
const machine = useMachine("front", ["busybox"]);
const ownProcess = { GANTRY_OWN_PROCESS: "1" };

function spawnGantry(args: readonly string[], env: Record<string, string> = {}) {
  const environment = { ...process.env, GANTRY_HOST: machine.engine.host, ...env };
  return Bun.spawn([gantryPath, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: environment,
  });
}

/** The front is one thread; the full program has many. */
const threadsOf = (pid: number) =>
  Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

const kill = (...names: string[]) => machine.engine.must("gantry", "rm", "-f", ...names);

describe("the engine runs a command for its front", () => {
  test("which stays one small process", async () => {
    const child = spawnGantry(["run", "--rm", "--name", "served", "busybox", "sleep", "30"]);
    await waitFor("the container", async () => (await machine.engine.must("gantry", "ps", "-q")) !== "");
    expect(threadsOf(child.pid)).toBe(1);
    await kill("served");
    expect(await child.exited).toBe(137);
  });

  test.each([
    [["ps", "-a"]],
    [["images", "--digests"]],
    [["version"]],
    [["inspect", "busybox"]],
    [["ps", "--format", "{{.Nope}}"]],
    [["ps", "--nope"]],
    [["container", "nope"]],
    [["run", "busybox", "no-such-program"]],
    [["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]],
    [["run", "--rm", "-e", "HOME", "-e", "X=1", "busybox", "sh", "-c", "echo $HOME $X"]],
    [["--host", "unix:///nowhere.sock", "ps"]],
  ])("%p says the same as in a process of its own", async (args) => {
    const served = await machine.engine.gantry(args);
    const own = await machine.engine.gantry(args, { env: ownProcess });
    expect(served).toEqual(own);
    for (const id of (await machine.engine.must("gantry", "ps", "-aq")).split("\n").filter(Boolean))
      await kill(id);
  });

  test("bytes come through both ways, as many as there are", async () => {
    const bytes = Buffer.alloc(9_000_000, "0123456789abcdef\n\0");
    const child = spawnGantry(["run", "--rm", "-i", "busybox", "cat"]);
    child.stdin.write(bytes);
    child.stdin.end();
    const hash = createHash("sha256");
    for await (const chunk of child.stdout) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(await child.exited).toBe(0);
  });

  test("nothing of what came through stays in the engine's memory", async () => {
    const { pid } = machine.engine;
    const peakMiB = () =>
      Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
    const forgetPeak = "5";
    writeFileSync(`/proc/${pid}/clear_refs`, forgetPeak);
    const before = peakMiB();
    const env = { GANTRY_HOST: machine.engine.host, G: gantryPath };
    const script = "head -c 400000000 /dev/zero | $G run --rm -i busybox sh -c 'cat >/dev/null'";
    expect(await command(["sh", "-c", script], { env })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(peakMiB() - before).toBeLessThan(200);
  });

  test("a reader that is slow slows the container down, not the engine", async () => {
    const child = spawnGantry([
      "run",
      "--rm",
      "--name",
      "slow",
      "busybox",
      "sh",
      "-c",
      "yes | head -c 30000000; echo end >&2",
    ]);
    await waitFor("the container", async () => (await machine.engine.must("gantry", "ps", "-q")) !== "");
    expect((await machine.engine.gantry(["version"])).exitCode).toBe(0);
    let length = 0;
    for await (const chunk of child.stdout) length += chunk.length;
    expect(length).toBe(30_000_000);
  });

  test("a reader that has gone ends it with SIGPIPE", async () => {
    const env = { GANTRY_HOST: machine.engine.host, G: gantryPath };
    await machine.engine.must(
      "gantry",
      "run",
      "-d",
      "--name",
      "talks",
      "busybox",
      "sh",
      "-c",
      "yes; sleep 60",
    );
    const { stdout } = await command(["bash", "-c", '$G logs -f talks | head -n 1; echo "$PIPESTATUS"'], {
      env,
    });
    expect(stdout).toBe("y\n141\n");
    await kill("talks");
  });

  test("a standard stream that its caller closed is empty, and nothing else takes its place", async () => {
    const env = { GANTRY_HOST: machine.engine.host, G: gantryPath };
    const script = [
      "timeout -s KILL 20 $G run --rm -i busybox cat <&-; echo $?",
      "timeout -s KILL 20 $G run --rm busybox sh -c 'echo lost; exit 3' >&-; echo $?",
      "timeout -s KILL 20 $G run --rm busybox sh -c 'echo kept; echo lost >&2; exit 4' 2>&-; echo $?",
    ];
    const { stdout } = await command(["sh", "-c", script.join("\n")], { env });
    expect(stdout).toBe("0\n3\nkept\n4\n");
  });

  test("keys and sizes reach its terminal, and ours is given back as it was", async () => {
    await using terminal = new Terminal(["bash", "--norc", "-i"], {
      env: { GANTRY_HOST: machine.engine.host, G: gantryPath, PS1: "$ " },
    });
    terminal.type("$G run --rm -it busybox sh\n");
    await terminal.see(/\/ # /);
    terminal.type("stty size; sleep 100\n");
    await terminal.see(/24 80/);
    terminal.resize(100, 40);
    terminal.type("\x03stty size\n");
    await terminal.see(/40 100/);
    terminal.type("exit 5\n");
    await terminal.see(/\$ /);
    terminal.type("echo code $?; stty -a | grep -o -- '-\\?echo '\n");
    await terminal.see(/code 5/);
    await terminal.see(/\necho /);
  });

  test("signals reach a container without a terminal", async () => {
    const script = "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.05; done";
    const argv = [gantryPath, "run", "--rm", "busybox", "sh", "-c", script];
    await using terminal = new Terminal(argv, { env: { GANTRY_HOST: machine.engine.host } });
    await terminal.see(/ready/);
    terminal.type("\x03");
    await terminal.see(/caught/);
    expect(await terminal.exitCode()).toBe(3);
  });

  test("an engine that dies is told", async () => {
    const child = spawnGantry(["run", "--rm", "--name", "lone", "busybox", "sleep", "60"]);
    await waitFor("the container", async () => (await machine.engine.must("gantry", "ps", "-q")) !== "");
    await machine.engine.kill();
    expect(await child.exited).toBe(125);
    expect(await child.stderr.text()).toBe("gantry: the connection to the engine broke\n");
    await machine.engine.boot();
    await kill("lone");
  });

  test("a front that is killed leaves the container, and the engine forgets the command", async () => {
    const child = spawnGantry(["run", "--name", "left", "busybox", "sleep", "60"]);
    await waitFor("the container", async () => (await machine.engine.must("gantry", "ps", "-q")) !== "");
    child.kill("SIGKILL");
    await child.exited;
    expect(await machine.engine.must("gantry", "ps", "--format", "{{.Names}}")).toBe("left");
    await kill("left");
  });
});

describe("the command runs in its own process when it", () => {
  test("needs files of its caller", async () => {
    const { directory } = machine.engine;
    const options = { cwd: directory };
    writeFileSync(join(directory, "variables"), "FROM_FILE=yes\n");
    const cidfile = `id-${Date.now()}`;
    const args = [
      "run",
      "--rm",
      "--env-file",
      "variables",
      "--cidfile",
      cidfile,
      "-v",
      "./:/here",
      "busybox",
    ];
    const result = await machine.engine.gantry([...args, "sh", "-c", "echo $FROM_FILE; ls /here"], options);
    expect(result.stdout.split("\n")).toContain("yes");
    expect(result.stdout.split("\n")).toContain("variables");
    expect(readFileSync(join(directory, cidfile), "utf8")).toMatch(/^[0-9a-f]{64}$/);
    const missing = await machine.engine.gantry(["run", "--env-file", "missing", "busybox", "true"], options);
    expect(missing).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining("open missing: no such file"),
    });
    expect(await machine.engine.must("gantry", "ps", "-aq")).toBe("");
  });

  test("may need a login of its caller", async () => {
    const directory = join(machine.engine.directory, "login");
    mkdirSync(directory);
    const image = `${machine.registry.host}/busybox:latest`;
    // The full program cannot start with so few addresses.
    const pull = (config: string) => {
      writeFileSync(join(directory, "config.json"), config);
      const argv = ["sh", "-c", 'ulimit -v 65536 && exec "$@"', "sh", gantryPath, "pull", "-q", image];
      return command(argv, { env: { GANTRY_HOST: machine.engine.host, DOCKER_CONFIG: directory } });
    };
    expect(await pull('{"auths": {}, "detachKeys": "ctrl-x"}')).toMatchObject({
      exitCode: 0,
      stdout: `${image}\n`,
    });
    const secrets = ['{"auths":{"r.example":{"auth":"eA=="}}}', '{"credsStore":"pass"}', " ".repeat(20_000)];
    for (const config of secrets) expect((await pull(config)).exitCode).not.toBe(0);
  });

  test("finds an engine of another build, which declines", async () => {
    const socket = connect(machine.engine.socket);
    const hello = Buffer.from(["other", "/", "0", "0", "0", "0", "0", "0", "1", "ps", ""].join("\0"));
    const frame = Buffer.concat([Buffer.from([0x48, hello.length, 0, 0, 0]), hello]);
    socket.write("POST /gantry/command HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    socket.write(frame);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks);
    expect(answer.toString("latin1")).toStartWith("HTTP/1.1 101 ");
    expect([...answer.subarray(-5)]).toEqual([0x44, 0, 0, 0, 0]);
  });

  test("finds another engine, which knows nothing of fronts", async () => {
    const path = join(machine.engine.directory, "other.sock");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const isList = request.url?.includes("/containers/json") === true;
      response.writeHead(isList ? 200 : 404, { "content-type": "application/json" });
      response.end(isList ? "[]" : '{"message":"page not found"}');
    });
    await new Promise<void>((listening) => server.listen(path, listening));
    try {
      const { exitCode, stdout } = await machine.engine.gantry(["-H", `unix://${path}`, "ps", "-q"]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
      expect(asked).toEqual(["POST /gantry/command", "GET /v1.51/containers/json"]);
    } finally {
      server.close();
    }
  });
});
