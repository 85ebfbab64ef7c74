import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { parseFrames } from "./parse-frames.ts";
import { collect, missing, readLog, TestBox } from "./test-box.ts";

const reason = missing();
const all = { stdin: true, stdout: true, stderr: true };
const interactive = { openStdin: true, stdinOnce: true };

describe.skipIf(reason !== undefined)(`stdio of a container${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox();
  });
  afterAll(() => box[Symbol.asyncDispose]());

  test("an attached client gets both streams in Docker's frames, and the end", async () => {
    const shim = await box.launch(box.request(box.plan({ args: ["sh", "-c", "echo out; echo err >&2"] })));
    const stream = await shim.init.attach({ ...all, stdin: false, framed: true });
    await shim.init.start();
    const { stdout, stderr } = parseFrames(await collect(stream));
    expect([stdout, stderr]).toEqual(["out\n", "err\n"]);
    expect((await shim.init.exited).exitCode).toBe(0);
  });

  test("what a client sends is stdin, and its half-close is the end of it", async () => {
    const request = box.request(box.plan({ args: ["cat"] }), interactive);
    const shim = await box.launch(request);
    const stream = await shim.init.attach({ ...all, framed: false });
    await shim.init.start();
    stream.end("one\ntwo\n");
    expect((await collect(stream)).toString()).toBe("one\ntwo\n");
    expect((await shim.init.exited).exitCode).toBe(0);
    expect(readLog(request, "stdout").join("")).toBe("one\ntwo\n");
  });

  test("20 MB through stdin and back come whole, though nothing buffers them", async () => {
    const request = { ...box.request(box.plan({ args: ["cat"] }), interactive), log: undefined };
    const shim = await box.launch(request);
    const stream = await shim.init.attach({ ...all, framed: false });
    await shim.init.start();
    const sent = Buffer.alloc(20 << 20);
    for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE((at * 2654435761) >>> 0, at);
    stream.end(sent);
    const received = await collect(stream);
    expect(received.length).toBe(sent.length);
    expect(received.equals(sent)).toBe(true);
    await shim.init.exited;
  });

  test("without stdinOnce a client that leaves does not end stdin", async () => {
    const request = box.request(box.plan({ args: ["sh", "-c", "read a; echo $a; read b; echo $b"] }), {
      openStdin: true,
    });
    const shim = await box.launch(request);
    await shim.init.start();
    const first = await shim.init.attach({ ...all, framed: false });
    first.end("one\n");
    for await (const chunk of first) if (chunk.toString().includes("one")) break;
    const second = await shim.init.attach({ ...all, framed: false });
    second.write("two\n");
    expect((await collect(second)).toString()).toContain("two\n");
    expect((await shim.init.exited).exitCode).toBe(0);
  });

  test("closeStdin ends it for everybody", async () => {
    const shim = await box.launch(box.request(box.plan({ args: ["cat"] }), { openStdin: true }));
    await shim.init.start();
    await shim.init.closeStdin();
    expect((await shim.init.exited).exitCode).toBe(0);
  });

  test("without an open stdin the process reads an end at once", async () => {
    expect(await box.run({ args: ["cat"] })).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("a client that does not read loses nothing and blocks nothing", async () => {
    const bytes = 8 << 20;
    const script = `head -c ${bytes} /dev/zero; echo done >&2`;
    const request = box.request(box.plan({ args: ["sh", "-c", script] }));
    const shim = await box.launch({ ...request, log: undefined });
    const slow = await shim.init.attach({ ...all, stdin: false, framed: true });
    slow.pause();
    await shim.init.start();
    // It ends although nobody has read anything.
    expect((await shim.init.exited).exitCode).toBe(0);
    const { stdout, stderr } = parseFrames(await collect(slow));
    expect(stdout.length).toBe(bytes);
    expect(stderr).toBe("done\n");
  });

  test("two clients get the same", async () => {
    const shim = await box.launch(box.request(box.plan({ args: ["sh", "-c", "seq 1 20000"] })));
    const streams = [
      await shim.init.attach({ ...all, stdin: false, framed: false }),
      await shim.init.attach({ ...all, stdin: false, framed: false }),
    ];
    await shim.init.start();
    const outputs = await Promise.all(streams.map(collect));
    expect(outputs[0]?.length).toBeGreaterThan(100_000);
    expect(outputs[0]?.equals(outputs[1] ?? Buffer.alloc(0))).toBe(true);
  });

  test("a client that sends garbage is refused, the container does not notice", async () => {
    const request = box.request(box.plan({ args: ["sleep", "100"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    const refused = async (bytes: Buffer): Promise<Buffer> => {
      const socket: Socket = connect(`${request.directory}/shim.sock`);
      socket.write(bytes);
      return collect(socket);
    };
    const isError = (answer: Buffer) => answer.readUInt16LE(4) === 201;
    expect(isError(await refused(Buffer.from("ffffffffffff0000", "hex")))).toBe(true); // too long
    expect(isError(await refused(Buffer.from("000000004d040000", "hex")))).toBe(true); // no such type
    expect(isError(await refused(Buffer.from("0200000002000000abcd", "hex")))).toBe(true); // cut short
    const half = connect(`${request.directory}/shim.sock`);
    half.write("\x01");
    half.destroy();
    await shim.init.signal(9);
    expect((await shim.init.exited).exitCode).toBe(137);
  });

  test("300 connections with damaged messages leave the shim as it was", async () => {
    const request = box.request(box.plan({ args: ["sleep", "100"] }), { openStdin: true });
    const shim = await box.launch(request);
    await shim.init.start();
    let random = 4711;
    const next = (limit: number) => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return (random >>> 8) % limit;
    };
    const attempt = () => {
      const bytes = Buffer.alloc(8 + next(40));
      for (let at = 8; at < bytes.length; at++) bytes[at] = next(3) === 0 ? next(256) : 0;
      bytes.writeUInt32LE(next(4) === 0 ? next(60) : bytes.length - 8, 0);
      // All but START and SIGNAL, which would mean something to the container.
      bytes.writeUInt16LE([1, 3, 5, 6, 7, 100, 200, 65535][next(8)] ?? 0, 4);
      return new Promise<void>((resolve) => {
        const socket = connect(`${request.directory}/shim.sock`);
        socket.on("error", () => undefined).on("close", () => resolve());
        socket.on("data", () => (next(2) === 0 ? socket.destroy() : socket.end()));
        socket.write(bytes, () => (next(2) === 0 ? socket.destroy() : socket.end()));
      });
    };
    for (let round = 0; round < 30; round++) await Promise.all(Array.from({ length: 10 }, attempt));
    const plan = box.execPlan(shim.init.pid, { args: ["sh", "-c", "exit 21"] });
    const process = await shim.exec({
      execId: "after",
      plan,
      stdio: { tty: false, openStdin: false, stdinOnce: false },
    });
    await process.start();
    expect((await process.exited).exitCode).toBe(21);
    const shimPid = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${shim.init.pid}/status`, "utf8"))?.[1];
    expect(readdirSync(`/proc/${shimPid}/fd`).length).toBeLessThan(20);
    await shim.init.signal(9);
    await shim.init.exited;
  });

  describe("a terminal", () => {
    test("is stdio, the controlling terminal and /dev/console", async () => {
      const script =
        "tty; stty size; test -c /dev/console && echo console; ps -o tty,pid | head -n 2 >/dev/null";
      const request = box.request(box.plan({ args: ["sh", "-c", script], tty: true }), { tty: true });
      const shim = await box.launch(request);
      await shim.init.start();
      expect((await shim.init.exited).exitCode).toBe(0);
      expect(readLog(request, "stdout").join("")).toBe("/dev/pts/0\r\n24 80\r\nconsole\r\n");
    });

    test("tells the process of a new size", async () => {
      const script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
      const request = box.request(box.plan({ args: ["sh", "-c", script], tty: true }), {
        tty: true,
        openStdin: true,
      });
      const shim = await box.launch(request);
      const stream = await shim.init.attach({ ...all, framed: false });
      await shim.init.start();
      let output = "";
      for await (const chunk of stream) {
        output += chunk;
        if (output.endsWith("ready\r\n")) await shim.init.resize(50, 132);
      }
      expect(output).toBe("ready\r\n50 132\r\n");
    });

    test("passes keys on, and Ctrl-D ends the input", async () => {
      const request = box.request(box.plan({ args: ["cat"], tty: true }), { tty: true, openStdin: true });
      const shim = await box.launch(request);
      const stream = await shim.init.attach({ ...all, framed: false });
      await shim.init.start();
      stream.write("hi\n");
      let output = "";
      for await (const chunk of stream) {
        output += chunk;
        if (output === "hi\r\nhi\r\n") stream.write("\x04");
      }
      expect((await shim.init.exited).exitCode).toBe(0);
    });

    test("that is closed and opened again still gives output", async () => {
      const script = "exec 0<&- 1>&- 2>&-; sleep 0.2; echo again > /dev/console";
      const request = box.request(box.plan({ args: ["sh", "-c", script], tty: true }), { tty: true });
      const shim = await box.launch(request);
      await shim.init.start();
      await shim.init.exited;
      expect(readLog(request, "stdout").join("")).toBe("again\r\n");
    });

    test("cannot be resized where there is none", async () => {
      const shim = await box.launch(box.request(box.plan({ args: ["sleep", "100"] })));
      await shim.init.start();
      await expect(shim.init.resize(1, 1)).rejects.toThrow("no terminal");
      await shim.init.signal(9);
      await shim.init.exited;
    });
  });

  describe("exec", () => {
    const running = async (args = ["sleep", "1000"]) => {
      const request = box.request(box.plan({ args }));
      const shim = await box.launch(request);
      await shim.init.start();
      return { shim, request };
    };

    test("runs in the container's namespaces, as a child of the shim, with its own stdio", async () => {
      const { shim, request } = await running();
      const plan = box.execPlan(shim.init.pid, { args: ["sh", "-c", "ps -o pid,args; cat; exit 9"] });
      const process = await shim.exec({ execId: "e1", plan, stdio: { tty: false, ...interactive } });
      const stream = await process.attach({ ...all, framed: false });
      const parentOf = (pid: number) =>
        /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      expect(parentOf(process.pid)).toBe(parentOf(shim.init.pid) ?? "");
      await process.start();
      stream.end("from stdin\n");
      const output = (await collect(stream)).toString();
      expect(output).toMatch(/^PID\s+COMMAND\n\s*1 sleep 1000\n/);
      expect(output).toEndWith("from stdin\n");
      expect(await process.exited).toMatchObject({ exitCode: 9 });
      expect(readLog(request, "stdout")).toEqual([]); // the log is the container's own
      await shim.init.signal(9);
      await shim.init.exited;
    });

    test("has a terminal of its own", async () => {
      const { shim } = await running();
      const plan = box.execPlan(shim.init.pid, { args: ["sh", "-c", "tty; stty size"], tty: true });
      const process = await shim.exec({
        execId: "e2",
        plan,
        stdio: { tty: true, openStdin: false, stdinOnce: false },
      });
      const stream = await process.attach({ ...all, stdin: false, framed: false });
      await process.start();
      expect((await collect(stream)).toString()).toBe("/dev/pts/0\r\n30 100\r\n");
      await shim.init.signal(9);
      await shim.init.exited;
    });

    test("a program that is not there", async () => {
      const { shim } = await running();
      const plan = box.execPlan(shim.init.pid, { args: ["nothing"] });
      const process = await shim.exec({
        execId: "e3",
        plan,
        stdio: { tty: false, openStdin: false, stdinOnce: false },
      });
      await expect(process.start()).rejects.toThrow('exec: "nothing": executable file not found in $PATH');
      expect((await process.exited).exitCode).toBe(127);
      await shim.init.signal(9);
      await shim.init.exited;
    });

    test("a background process does not keep its stream open", async () => {
      const { shim } = await running();
      const plan = box.execPlan(shim.init.pid, { args: ["sh", "-c", "sleep 1000 & echo done"] });
      const process = await shim.exec({
        execId: "e4",
        plan,
        stdio: { tty: false, openStdin: false, stdinOnce: false },
      });
      const stream = await process.attach({ ...all, stdin: false, framed: false });
      await process.start();
      expect((await collect(stream)).toString()).toBe("done\n");
      await shim.init.signal(9);
      await shim.init.exited;
    });

    test("ends with the container, before it", async () => {
      const { shim } = await running();
      const plan = box.execPlan(shim.init.pid, { args: ["sleep", "1000"] });
      const process = await shim.exec({
        execId: "e5",
        plan,
        stdio: { tty: false, openStdin: false, stdinOnce: false },
      });
      await process.start();
      await shim.init.signal(9);
      const [inner, outer] = await Promise.all([process.exited, shim.init.exited]);
      expect(inner.exitCode).toBe(137);
      expect(inner.exitedAtNs).toBeLessThanOrEqual(outer.exitedAtNs);
    });

    test("50 at a time", async () => {
      const { shim } = await running();
      const codes = await Promise.all(
        Array.from({ length: 50 }, async (_, number) => {
          const plan = box.execPlan(shim.init.pid, { args: ["sh", "-c", `exit ${number}`] });
          const process = await shim.exec({
            execId: `many${number}`,
            plan,
            stdio: { tty: false, openStdin: false, stdinOnce: false },
          });
          await process.start();
          return (await process.exited).exitCode;
        }),
      );
      expect(codes).toEqual(Array.from({ length: 50 }, (_, number) => number));
      // Nothing of them is left in the shim.
      const shimPid = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${shim.init.pid}/status`, "utf8"))?.[1];
      expect(readdirSync(`/proc/${shimPid}/fd`).length).toBeLessThan(20);
      await shim.init.signal(9);
      await shim.init.exited;
    });
  });
});
