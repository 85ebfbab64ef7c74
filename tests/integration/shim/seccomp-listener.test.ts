import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { call } from "../../../src/kernel/syscall.ts";
import { listenUnix, receiveDescriptors } from "../../../src/kernel/unix-sockets.ts";
import { missing, start, TestBox } from "./test-box.ts";

const reason = missing();
/** Asks the listener about a system call that no program makes, allows all others. */
const neverUsed = 451;
const program = Buffer.from(
  [
    "2000000000000000", // load the number
    "15000001c3010000", // is it 451?
    "060000000000c07f", // yes: SECCOMP_RET_USER_NOTIF
    "060000000000ff7f", // no: SECCOMP_RET_ALLOW
  ].join(""),
  "hex",
);

describe.skipIf(reason !== undefined)(`a seccomp listener${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let box: TestBox;
  beforeAll(() => {
    box = new TestBox();
  });
  afterAll(() => box[Symbol.asyncDispose]());

  const withListener = (path: string) =>
    box.plan({
      args: ["echo", "filtered"],
      start: [
        start({
          op: "load-seccomp",
          program,
          flags: 0,
          listenerPath: path,
          listenerState: '{"fds":["seccompFd"],"pid":0,"state":{"pid":0}}',
        }),
      ],
    });

  test("is handed to the agent with the state", async () => {
    expect(program.readUInt32LE(12)).toBe(neverUsed);
    const path = join(box.directory, "agent.sock");
    const agent = listenUnix(path, { mode: 0o600 });
    try {
      const shim = await box.launch(box.request(withListener(path)));
      await shim.init.start(); // the process waits until the agent's socket has it
      const connection = call("accept4", "accept", agent, null, null, 0);
      const buffer = new Uint8Array(256);
      const { bytes, fds } = receiveDescriptors(connection, buffer, 4);
      expect(Buffer.from(buffer.subarray(0, bytes)).toString()).toBe(
        `{"fds":["seccompFd"],"pid":${shim.init.pid},"state":{"pid":${shim.init.pid}}}`,
      );
      expect(fds.map((fd) => readlinkSync(`/proc/self/fd/${fd}`))).toEqual(["anon_inode:seccomp notify"]);
      expect((await shim.init.exited).exitCode).toBe(0);
      for (const fd of [connection, ...fds]) closeSync(fd);
    } finally {
      closeSync(agent);
    }
  });

  test("without its agent, the start fails and says so", async () => {
    const shim = await box.launch(box.request(withListener(join(box.directory, "nobody.sock"))));
    await expect(shim.init.start()).rejects.toThrow(
      "load the seccomp filter: no such file or directory (test)",
    );
  });
});
