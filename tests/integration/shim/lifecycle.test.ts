import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import type { PlatformError } from "../../../src/errors/platform-error.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { missing, readEntries, readLog, setup, start, TestBox } from "./test-box.ts";

const reason = missing();
const thrownBy = (promise: Promise<unknown>): Promise<PlatformError> =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error) => error,
  );

describe.skipIf(reason !== undefined)(`a container's process${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox();
  });
  afterAll(() => box[Symbol.asyncDispose]());

  test("its output stands in the log, its exit code is told", async () => {
    const result = await box.run({ args: ["sh", "-c", "echo out; echo err >&2; exit 3"] });
    expect(result).toEqual({ exitCode: 3, signal: 0, stdout: "out\n", stderr: "err\n" });
  });

  test("it waits for its start", async () => {
    const request = box.request(box.plan({ args: ["echo", "now"] }));
    const shim = await box.launch(request);
    expect(readEntries(request)).toEqual([]);
    const { startedAtNs } = await shim.init.start();
    const { exitedAtNs } = await shim.init.exited;
    expect(exitedAtNs).toBeGreaterThanOrEqual(startedAtNs);
    expect(readLog(request, "stdout")).toEqual(["now\n"]);
  });

  test("it is a child of its shim, in namespaces of its own, and process 1 of them", async () => {
    const request = box.request(box.plan({ args: ["sh", "-c", "echo $$; exec sleep 100"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    const { pid } = shim.init;
    const parent = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    expect(readFileSync(`/proc/${parent}/cmdline`, "utf8")).toStartWith(
      `gantry-shim: ${request.containerId}`,
    );
    expect(parent).not.toBe(process.pid);
    for (const kind of ["mnt", "pid", "net", "ipc", "uts"]) {
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
      expect(readlinkSync(`/proc/${parent}/ns/${kind}`)).toBe(readlinkSync(`/proc/self/ns/${kind}`));
    }
    await waitFor("the first line", () => readLog(request, "stdout")[0] === "1\n");
    await shim.init.signal(9);
    expect(await shim.init.exited).toMatchObject({ exitCode: 137, signal: 9 });
  });

  test("a signal reaches it", async () => {
    const request = box.request(
      box.plan({
        args: ["sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done"],
      }),
    );
    const shim = await box.launch(request);
    const output = await shim.init.attach({ stdin: false, stdout: true, stderr: false, framed: false });
    await shim.init.start();
    for await (const chunk of output) {
      if (chunk.toString().includes("ready")) await shim.init.signal(15);
    }
    expect((await shim.init.exited).exitCode).toBe(7);
    expect(readLog(request, "stdout").join("")).toBe("ready\ncaught\n");
  });

  test("no signal is ignored and none is blocked in it", async () => {
    const { stdout } = await box.run({ args: ["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"] });
    expect(stdout).toBe("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  });

  test("no descriptor of the host is open in it", async () => {
    const { stdout } = await box.run({
      args: ["sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done"],
    });
    const links = stdout.trim().split("\n");
    expect(links[0]).toBe("/dev/null");
    expect(links[1]).toMatch(/^pipe:/);
    expect(links[2]).toMatch(/^pipe:/);
    // The shell's own view of the directory; nothing else.
    expect(links.length).toBeLessThanOrEqual(4);
    expect(links.join()).not.toMatch(/socket:|anon_inode|memfd/);
  });

  test("a line without an end is logged without one", async () => {
    const request = box.request(box.plan({ args: ["sh", "-c", "echo one; printf two"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    await shim.init.exited;
    expect(readEntries(request).map(({ log, stream }) => [log, stream])).toEqual([
      ["one\n", "stdout"],
      ["two", "stdout"],
    ]);
  });

  test("a long line is split, and only its last part ends", async () => {
    const request = box.request(
      box.plan({ args: ["sh", "-c", "head -c 40000 /dev/zero | busybox tr '\\0' x; echo"] }),
    );
    const shim = await box.launch(request);
    await shim.init.start();
    await shim.init.exited;
    const entries = readEntries(request);
    expect(entries.map(({ log }) => log.length)).toEqual([16384, 16384, 40000 - 2 * 16384 + 1]);
    expect(new Set(entries.map(({ time }) => time)).size).toBe(1);
    expect(entries.map(({ log }) => log.endsWith("\n"))).toEqual([false, false, true]);
  });

  test("the shim ends with it and leaves its status", async () => {
    const request = box.request(box.plan({ args: ["sh", "-c", "exit 5"] }));
    const shim = await box.launch(request);
    await shim.init.start();
    await shim.init.exited;
    const record = JSON.parse(readFileSync(`${request.directory}/exit`, "utf8"));
    expect(record).toMatchObject({ exitCode: 5, signal: 0, pid: shim.init.pid });
    await box.launcher.forget(request.directory);
    expect(existsSync(request.directory)).toBe(false);
  });

  test.each([
    [
      "a command that is not in PATH",
      ["nothing"],
      'exec: "nothing": executable file not found in $PATH',
      "exec.not-found",
    ],
    [
      "a path that is not there",
      ["/no/thing"],
      'exec: "/no/thing": stat /no/thing: no such file or directory',
      "exec.not-found",
    ],
    [
      "a file without permission",
      ["/etc/plain"],
      'exec: "/etc/plain": permission denied',
      "exec.not-executable",
    ],
    ["a directory", ["/etc"], 'exec: "/etc": is a directory', "exec.is-directory"],
    [
      "a missing interpreter",
      ["/etc/script"],
      'exec: "/etc/script": no such file or directory',
      "exec.interpreter-missing",
    ],
    ["no program at all", ["/etc/garbage"], 'exec: "/etc/garbage": exec format error', "exec.bad-format"],
  ])("%s is refused at its start", async (_, args, message, code) => {
    await Bun.write(`${box.root}/etc/plain`, "text");
    await Bun.write(`${box.root}/etc/script`, "#!/no/interpreter\n");
    await Bun.write(`${box.root}/etc/garbage`, "\0\0\0garbage");
    for (const name of ["script", "garbage"]) await Bun.$`chmod 755 ${box.root}/etc/${name}`;
    const shim = await box.launch(box.request(box.plan({ args })));
    const error = await thrownBy(shim.init.start());
    expect(error.message).toBe(message);
    expect(error.code).toBe(code);
    expect(error.kind).toBe("InvalidParameter");
    expect((await shim.init.exited).exitCode).toBe(
      code === "exec.not-found" || code === "exec.interpreter-missing" ? 127 : 126,
    );
  });

  test("a failing step is named with its arguments and its reason, and nothing is left", async () => {
    const request = box.request(
      box.plan({
        args: ["true"],
        setup: [
          {
            phase: "setup",
            reason: "-v /no/such/source:/data",
            op: "bind",
            source: "/no/such/source",
            target: "/data",
            targetKind: "directory",
            recursive: true,
            attributes: { set: 0, clear: 0 },
            attributesRecursive: false,
            propagation: 0,
          },
        ],
      }),
    );
    const error = await thrownBy(box.launcher.launch(request));
    expect(error.message).toBe(
      "bind /no/such/source on /data: no such file or directory (-v /no/such/source:/data)",
    );
    expect(error.kind).toBe("InvalidParameter");
    expect(existsSync(request.directory)).toBe(false);
  });

  test("what the file system says about a refused mount is told", async () => {
    const bad = setup({
      op: "mount",
      fstype: "tmpfs",
      source: "tmpfs",
      target: "/tmp",
      attributes: 0,
      data: ["size=enormous"],
    });
    const error = await thrownBy(
      box.launcher.launch(box.request(box.plan({ args: ["true"], setup: [bad] }))),
    );
    expect(error.message).toMatch(/^mount tmpfs on \/tmp: .*size.*: invalid argument \(test\)$/);
  });

  test("a failing step after the start is named as well", async () => {
    const missingDirectory = start({ op: "change-directory", path: "/no/where" });
    const shim = await box.launch(box.request(box.plan({ args: ["true"], start: [missingDirectory] })));
    const error = await thrownBy(shim.init.start());
    expect(error.message).toBe('chdir to cwd ("/no/where"): no such file or directory (test)');
  });

  test("it is started only once", async () => {
    const shim = await box.launch(box.request(box.plan({ args: ["sleep", "100"] })));
    await shim.init.start();
    expect((await thrownBy(shim.init.start())).message).toContain("started already");
    await shim.init.signal(9);
    await shim.init.exited;
    expect((await thrownBy(shim.init.signal(9))).kind).toMatch(/NotFound|Unavailable/);
  });
});
