import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, readFileSync, readlinkSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { bindDatagram, receiveDatagram, sendDatagram } from "../../../src/kernel/datagram-sockets.ts";
import { call } from "../../../src/kernel/syscall.ts";
import { listenUnix, receiveDescriptors } from "../../../src/kernel/unix-sockets.ts";
import { runtimeMissing, TestRuntime, type TestSpec } from "../../fixtures/bundle.ts";
import { command } from "../../fixtures/command.ts";

const reason = runtimeMissing();
const withTerminal = (spec: TestSpec) => {
  spec.process.terminal = true;
};

describe.skipIf(reason !== undefined)(`terminals and descriptors${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  /** Accepts one connection and takes the descriptor that comes over it. */
  function takeDescriptor(listener: number): { data: string; fd: number } {
    const connection = call("accept4", "accept", listener, null, null, 0);
    const buffer = Buffer.alloc(256);
    const { bytes, fds } = receiveDescriptors(connection, buffer, 1);
    closeSync(connection);
    return { data: buffer.toString("utf8", 0, bytes), fd: fds[0] ?? -1 };
  }

  test("--console-socket receives the master, --pidfd-socket a pidfd", async () => {
    const consolePath = join(runtime.directory, "console.sock");
    const pidfdPath = join(runtime.directory, "pidfd.sock");
    const listeners = [consolePath, pidfdPath].map((path) => listenUnix(path, { mode: 0o600 }));
    const bundle = runtime.bundle(["sh", "-c", "tty; stty size; read line; echo got $line"], (spec) => {
      withTerminal(spec);
      spec.process.consoleSize = { height: 11, width: 22 };
    });
    await runtime.must(
      ...["create", "--bundle", bundle, "--console-socket", consolePath, "--pidfd-socket", pidfdPath, "tty"],
    );
    const [console, pidfd] = listeners.map(takeDescriptor);
    expect(console?.data).toMatch(/^\/dev\/pts\/\d+$/);
    expect(readlinkSync(`/proc/self/fd/${pidfd?.fd}`)).toMatch(/pidfd/);
    await runtime.must("start", "tty");
    writeSync(console?.fd ?? -1, "hello\n");
    expect(readToEnd(console?.fd ?? -1)).toMatch(
      /^(hello\r\n)?\/dev\/pts\/0\r\n(hello\r\n)?11 22\r\n(hello\r\n)?got hello\r\n$/,
    );
    for (const fd of [...listeners, console?.fd ?? -1, pidfd?.fd ?? -1]) closeSync(fd);
    await runtime.must("delete", "--force", "tty");
  });

  /** A master answers EIO once all slaves are closed. */
  function readToEnd(fd: number): string {
    const buffer = Buffer.alloc(4096);
    let text = "";
    try {
      for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer))
        text += buffer.toString("utf8", 0, length);
    } catch {}
    return text;
  }

  test.each([
    [["create"], true, "cannot allocate tty"],
    [["run", "--detach"], true, "cannot allocate tty"],
    [["create", "--console-socket", "/nowhere"], false, "cannot use console socket"],
    [["run", "--console-socket", "/nowhere"], true, "cannot use console socket"],
  ] as const)("%p with terminal %p is refused", async (words, terminal, message) => {
    const bundle = runtime.bundle(["true"], terminal ? withTerminal : undefined);
    const result = await runtime.run([...words, "--bundle", bundle, "bad"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(message) });
    expect(runtime.leftovers()).toEqual([]);
  });

  test.skipIf(Bun.which("script") === null)("run and exec in a terminal of their own", async () => {
    const bundle = runtime.bundle(["sh", "-c", "test -t 0 && tty; exit 3"], withTerminal);
    const words = [...runtime.argv, "--root", runtime.root];
    const inTerminal = (line: string) => command(["script", "-qec", line, "/dev/null"]);
    const run = await inTerminal(`${words.join(" ")} run --bundle ${bundle} fg`);
    expect(run).toMatchObject({ exitCode: 3, stdout: expect.stringContaining("/dev/pts/0\r\n") });
    await runtime.must("run", "--detach", "--bundle", runtime.bundle(["sleep", "1000"]), "box");
    const exec = await inTerminal(`${words.join(" ")} exec -t box sh -c 'tty; exit 4'`);
    expect(exec).toMatchObject({ exitCode: 4, stdout: expect.stringContaining("/dev/pts/0\r\n") });
    await runtime.must("delete", "--force", "box");
  });

  test.skipIf(Bun.which("script") === null)("Ctrl-C reaches a program that never stops writing", async () => {
    const bundle = runtime.bundle(["sh", "-c", "trap : INT; yes; exit 5"], withTerminal);
    const line = [...runtime.argv, "--root", runtime.root, "run", "--bundle", bundle, "yes"].join(" ");
    const child = Bun.spawn(["script", "-qec", line, "/dev/null"], { stdin: "pipe", stdout: "pipe" });
    const reader = child.stdout.getReader();
    await reader.read();
    child.stdin.write("\x03");
    child.stdin.flush();
    while (!(await reader.read()).done);
    expect(await child.exited).toBe(5);
    expect(runtime.leftovers()).toEqual([]);
  });

  test("run passes signals on, and ends as the program does", async () => {
    const bundle = runtime.bundle([
      "sh",
      "-c",
      "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done",
    ]);
    const child = Bun.spawn([...runtime.argv, "--root", runtime.root, "run", "--bundle", bundle, "sig"], {
      stdout: "pipe",
    });
    await child.stdout.getReader().read();
    child.kill("SIGUSR1");
    expect(await child.exited).toBe(9);
    expect(runtime.leftovers()).toEqual([]);
  });

  test("--preserve-fds and LISTEN_FDS hand descriptors over, and nothing else is open", async () => {
    const bundle = runtime.bundle([
      "sh",
      "-c",
      "cat <&3; cat <&4; ls /proc/self/fd; echo $LISTEN_FDS $LISTEN_PID",
    ]);
    const [first, second] = ["one", "two"].map((text) => {
      const path = join(runtime.directory, text);
      writeFileSync(path, `${text}\n`);
      return path;
    });
    const shell = `exec ${runtime.argv.join(" ")} --root ${runtime.root} run --preserve-fds 1 --bundle ${bundle} fds`;
    const result = await command(["sh", "-c", `${shell} 3<${first} 4<${second} 5</dev/null`], {
      env: { LISTEN_FDS: "1" },
    });
    expect(result.stdout).toBe("one\ntwo\n0\n1\n2\n3\n4\n5\n1 1\n"); // 5 is that of ls on the directory
  });

  test.each(["1", ""])(
    "no descriptor of the runtime itself is handed over (GANTRY_OWN_PROCESS=%p)",
    async (own) => {
      const bundle = runtime.bundle(["ls", "-l", "/proc/self/fd"]);
      for (const count of ["1", "4", "8"]) {
        const result = await runtime.run(["run", "--preserve-fds", count, "--bundle", bundle, "fds"], {
          env: { ...process.env, ...(own !== "" && { GANTRY_OWN_PROCESS: own }) },
        });
        expect(result).toMatchObject({
          exitCode: 1,
          stdout: "",
          stderr: expect.stringMatching(/--preserve-fds: descriptor \d+ is not open/),
        });
      }
      expect(runtime.leftovers()).toEqual([]);
    },
  );

  test("a program that cannot be executed is told to start, however many descriptors are preserved", async () => {
    writeFileSync(join(runtime.rootfs, "garbage"), "\x01", { mode: 0o755 });
    const bundle = runtime.bundle(["/garbage"]);
    const words = [...runtime.argv, "--root", runtime.root].join(" ");
    for (const count of [1, 2, 3, 5]) {
      const opened = Array.from(
        { length: count },
        (_, index) => `${3 + index}<>${runtime.directory}/kept-${index}`,
      );
      const create = `${words} create --preserve-fds ${count} --bundle ${bundle} garbage ${opened.join(" ")}`;
      expect(await command(["sh", "-c", `${create} <&- >&- 2>&-`])).toMatchObject({ exitCode: 0 });
      expect(await runtime.run(["start", "garbage"])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("exec format error"),
      });
      for (let index = 0; index < count; index++)
        expect(readFileSync(join(runtime.directory, `kept-${index}`), "utf8")).toBe("");
      await runtime.must("delete", "--force", "garbage");
    }
  });

  test("READY=1 of the container reaches the caller's service manager", async () => {
    const manager = join(runtime.directory, "manager.sock");
    const socket = bindDatagram(manager);
    // busybox has no client for datagram sockets: the test speaks through the socket that the runtime made.
    const bundle = runtime.bundle([
      "sh",
      "-c",
      "test -S $NOTIFY_SOCKET && echo $NOTIFY_SOCKET; exec sleep 1000",
    ]);
    const env = { ...process.env, NOTIFY_SOCKET: manager };
    const words = [...runtime.argv, "--root", runtime.root];
    const created = Bun.spawn([...words, "create", "--bundle", bundle, "ready"], { env, stdout: "pipe" });
    expect(await created.exited).toBe(0);
    const start = Bun.spawn([...words, "start", "ready"], { env });
    const reader = created.stdout.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("/run/notify/notify.sock\n");
    const path = join(runtime.root, "ready/notify/notify.sock");
    sendDatagram(path, "STATUS=nearly");
    sendDatagram(path, "READY=1");
    expect(await start.exited).toBe(0);
    expect(receiveDatagram(socket)).toBe(`MAINPID=${(await runtime.state("ready")).pid}\nREADY=1`);
    closeSync(socket);
    await runtime.must("delete", "--force", "ready");
  });
});
