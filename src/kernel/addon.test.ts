import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { addon, type SyscallArgument } from "./addon.ts";
import { waitForChild } from "./processes.ts";
import { check, nr } from "./syscall.ts";
import { socketPair } from "./unix-sockets.ts";

const openDescriptors = () => readdirSync("/proc/self/fd").length;

/** A wrong argument, smuggled past the types. */
const wrong = (value: unknown) => value as SyscallArgument;

/** Runs a shell command with the given descriptors; resolves to its exit code. */
async function shell(script: string, fds: [number, number][]): Promise<number> {
  const pid = check(addon.spawn("/bin/sh", ["sh", "-c", script], ["A=b"], fds), "spawn sh");
  const status = await waitForChild(pid);
  return status.kind === "exited" ? status.exitCode : 128 + status.signal;
}

/** What a shell command writes to its descriptor 5. */
async function output(script: string, fds: [number, number][]): Promise<string> {
  const [ours, theirs] = socketPair();
  try {
    await shell(script, [...fds, [theirs, 5]]);
    const buffer = new Uint8Array(256);
    const length = check(addon.syscall(nr.read, ours, buffer, buffer.length), "read");
    return new TextDecoder().decode(buffer.subarray(0, length)).trim();
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}

describe("syscall", () => {
  test("returns the kernel's result", () => {
    expect(addon.syscall(nr.getpid)).toBe(process.pid);
  });

  test("returns -errno", () => {
    expect(addon.syscall(nr.close, -1)).toBe(-9);
  });

  test("writes into a Uint8Array", () => {
    const pair = new Uint8Array(8);
    check(addon.syscall(nr.pipe2, pair, 0o2000000), "pipe");
    const [read = -1, write = -1] = new Int32Array(pair.buffer);
    writeSync(write, "through");
    const buffer = new Uint8Array(16);
    const length = addon.syscall(nr.read, read, buffer, buffer.length);
    closeSync(read);
    closeSync(write);
    expect(new TextDecoder().decode(buffer.subarray(0, length))).toBe("through");
  });

  test("takes bigints of both signs", () => {
    expect(addon.syscall(nr.close, -1n)).toBe(-9);
    expect(addon.syscall(nr.close, 0xffff_ffff_ffff_ffffn)).toBe(-9);
  });

  test.each([
    ["undefined", undefined],
    ["a boolean", true],
    ["a fraction", 1.5],
    ["NaN", Number.NaN],
    ["an unsafe integer", 2 ** 60],
    ["a bigint beyond 64 bits", 2n ** 70n],
    ["another typed array", new Int32Array(1)],
    ["an object", {}],
    ["a function", () => 0],
    ["a string with NUL", "/etc\0/passwd"],
  ])("refuses %s", (_name, value) => {
    expect(() => addon.syscall(nr.close, wrong(value))).toThrow(TypeError);
  });

  test("refuses a seventh argument", () => {
    expect(() => addon.syscall(nr.close, -1, 0, 0, 0, 0, 0, 0)).toThrow(TypeError);
  });

  test("works on a thread of the pool", async () => {
    expect(await addon.syscallAsync(nr.close, -1)).toBe(-9);
    const name = new Uint8Array(400);
    const path = `/proc/self/${"./".repeat(40)}status`;
    expect(await addon.syscallAsync(nr.readlinkat, -100, path, name, name.length)).toBe(-22);
    expect(() => addon.syscallAsync(nr.close, wrong({}))).toThrow(TypeError);
  });

  test("loses neither memory nor descriptors under load", async () => {
    const descriptors = openDescriptors();
    const long = "/nowhere/".repeat(400);
    const run = async () => {
      for (let round = 0; round < 10_000; round++) {
        addon.syscall(nr.openat, -100, long, 0);
        expect(() => addon.syscall(nr.openat, -100, long, wrong(undefined))).toThrow(TypeError);
      }
      await Promise.all(Array.from({ length: 500 }, () => addon.syscallAsync(nr.openat, -100, long, 0)));
    };
    await run();
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    await run();
    await run();
    Bun.gc(true);
    // A leaked copy of the path would cost 3.6 KB a call, 75 MB here.
    expect(process.memoryUsage.rss() - before).toBeLessThan(30 << 20);
    expect(openDescriptors()).toBe(descriptors);
  }, 30_000);
});

describe("spawn", () => {
  test("gives exactly the given descriptors", async () => {
    const nothing = openSync("/dev/null", "r");
    const seen = await output("exec ls -x /proc/self/fd >&5", [
      [nothing, 0],
      [nothing, 1],
      [nothing, 2],
    ]);
    closeSync(nothing);
    // 1 is a copy of 5 by then, and 3 the directory that ls reads.
    expect(seen.split(/\s+/)).toEqual(["0", "1", "2", "3", "5"]);
  });

  test("maps overlapping sets, also in a circle", async () => {
    const files = ["/proc/version", "/proc/cpuinfo", "/proc/meminfo"] as const;
    const [a, b, c] = [openSync(files[0], "r"), openSync(files[1], "r"), openSync(files[2], "r")];
    const script = `[ $(readlink /proc/$$/fd/${b}) = ${files[0]} ] && [ $(readlink /proc/$$/fd/${c}) = ${files[1]} ] && [ $(readlink /proc/$$/fd/${a}) = ${files[2]} ]`;
    const code = await shell(script, [
      [a, b],
      [b, c],
      [c, a],
      [2, 2],
    ]);
    for (const fd of [a, b, c]) closeSync(fd);
    expect(code).toBe(0);
  });

  test("executes a descriptor by its path, even where its number is a target", async () => {
    const program = openSync("/bin/sh", "r");
    const argv = ["sh", "-c", `[ $(readlink /proc/$$/fd/${program}) = /dev/null ] || exit 3`];
    const nothing = openSync("/dev/null", "r");
    const pid = addon.spawn(`/proc/self/fd/${program}`, argv, ["PATH=/usr/bin:/bin"], [[nothing, program]]);
    closeSync(program);
    closeSync(nothing);
    expect(await waitForChild(check(pid, "spawn"))).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("resets the signal mask and ignored signals", async () => {
    const command = "exec grep -c '^Sig\\(Blk\\|Ign\\):.0000000000000000' /proc/self/status >&5";
    expect(await output(command, [])).toBe("2");
  });

  test("reports why exec failed, and leaves no child", () => {
    expect(addon.spawn("/nonexistent", ["x"], [], [])).toBe(-2);
    expect(addon.spawn("/etc/passwd", ["x"], [], [])).toBe(-13);
    expect(addon.spawn("/bin/true", ["x"], [], [[987, 3]])).toBe(-9);
    expect(addon.syscall(nr.wait4, -1, null, 1, null)).toBe(-10);
  });

  test.each([
    ["a missing argument", ["/bin/true", [], []]],
    ["a file that is no string", [1, [], [], []]],
    ["argv with a number", ["/bin/true", [1], [], []]],
    ["env that is no array", ["/bin/true", [], "A=b", []]],
    ["a descriptor twice", ["/bin/true", [], [], [[0, 3], [1, 3]]]], // biome-ignore format: one case a line
    ["half a pair", ["/bin/true", [], [], [[0]]]],
    ["a negative descriptor", ["/bin/true", [], [], [[0, -1]]]],
  ])("refuses %s", (_name, given) => {
    const spawn = addon.spawn as (...values: unknown[]) => number;
    expect(() => spawn(...given)).toThrow(TypeError);
  });
});

describe("sendFds and recvFds", () => {
  test("carry descriptors", () => {
    const [left, right] = socketPair();
    const file = openSync("/proc/version", "r");
    expect(addon.sendFds(left, new Uint8Array([1, 2]), [file, file])).toBe(2);
    const buffer = new Uint8Array(8);
    const result = addon.recvFds(right, buffer, 4);
    if (typeof result === "number") throw new Error(`received ${result}`);
    expect(result.bytes).toBe(2);
    expect(result.fds.map((fd) => readFileSync(fd, "utf8").slice(0, 5))).toEqual(["Linux", ""]);
    for (const fd of [left, right, file, ...result.fds]) closeSync(fd);
  });

  test("close what does not fit", () => {
    const [left, right] = socketPair();
    addon.sendFds(left, new Uint8Array([1]), [left, right, left]);
    const before = openDescriptors();
    expect(addon.recvFds(right, new Uint8Array(1), 2)).toBe(-90);
    expect(openDescriptors()).toBe(before);
    closeSync(left);
    closeSync(right);
  });

  test("refuse wrong types", () => {
    const send = addon.sendFds as (...values: unknown[]) => number;
    expect(() => send(0, "data", [])).toThrow(TypeError);
    expect(() => send(0, new Uint8Array(1), ["a"])).toThrow(TypeError);
    expect(() => addon.recvFds(0, new Uint8Array(1), 254)).toThrow(TypeError);
  });
});

test("the addon works in a Worker", async () => {
  const source = `
    import { addon } from ${JSON.stringify(`${import.meta.dirname}/addon.ts`)};
    postMessage([addon.syscall(${nr.getpid}), await addon.syscallAsync(${nr.close}, -1)]);`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "application/typescript" })));
  const answer = await new Promise<unknown>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  expect(answer).toEqual([process.pid, -9]);
});
