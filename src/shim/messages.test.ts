import { describe, expect, test } from "bun:test";
import { encodeLaunchMessage } from "./launch-message.ts";
import {
  attachMessage,
  execMessage,
  MessageReader,
  resizeMessage,
  signalMessage,
  subscribeMessage,
} from "./messages.ts";
import { launchFlag } from "./protocol.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const noStdio = { tty: false, openStdin: false, stdinOnce: false };

describe("requests", () => {
  test("have length, type, tag and little-endian fields", () => {
    expect(hex(subscribeMessage(1))).toBe("0000000001000100");
    expect(hex(signalMessage(2, 3, 15))).toBe("0800000004000200030000000f000000");
    expect(hex(resizeMessage(0x102, 1, 24, 80))).toBe("08000000050002010100000018005000");
    const options = { stdin: true, stdout: false, stderr: true, framed: true };
    expect(hex(attachMessage(9, 1, options))).toBe("0600000003000900010000000501");
  });

  test("exec carries flags, id and plan", () => {
    const request = {
      execId: "e",
      plan: { steps: [] },
      stdio: { tty: true, openStdin: false, stdinOnce: true },
    };
    const bytes = Buffer.from(execMessage(1, request, new Uint8Array([7, 8])));
    expect(bytes.readUInt32LE(0)).toBe(bytes.length - 8);
    expect(hex(bytes.subarray(8))).toBe("0500010000006500020000000708");
  });

  test("a launch message begins with its magic and its flags", () => {
    const bytes = Buffer.from(
      encodeLaunchMessage({
        containerId: "id",
        directory: "/d",
        plan: { steps: [] },
        stdio: { ...noStdio, openStdin: true },
        log: undefined,
      }),
    );
    expect(bytes.toString("latin1", 0, 4)).toBe("GLCH");
    expect(bytes.readUInt16LE(6)).toBe(launchFlag.daemon | launchFlag.openStdin);
    expect(bytes.toString("latin1", bytes.length - 8, bytes.length - 4)).toBe("GPLN");
  });
});

describe("MessageReader", () => {
  const exited = Buffer.from(
    `1c0000006600000001000000890000000900000000e40b540200000003000000612d6200`,
    "hex",
  );

  test("reads an event, whole or byte by byte", () => {
    const wanted = [
      { type: "exited", process: 1, exitCode: 137, signal: 9, atNs: 10_000_000_000n, execId: "a-b" },
    ] as const;
    expect(new MessageReader().push(exited)).toEqual([...wanted]);
    const reader = new MessageReader();
    const messages = [...exited].flatMap((byte) => reader.push(new Uint8Array([byte])));
    expect(messages).toEqual([...wanted]);
  });

  test("several messages in one chunk, and the beginning of another", () => {
    const reader = new MessageReader();
    const chunk = Buffer.concat([exited, exited, exited.subarray(0, 5)]);
    expect(reader.push(chunk)).toHaveLength(2);
    expect(reader.push(exited.subarray(5))).toHaveLength(1);
  });

  test("a message of another kind, or one cut short, is an error", () => {
    expect(() => new MessageReader().push(Buffer.from("0000000099000000", "hex"))).toThrow(
      "unknown type 153",
    );
    expect(() => new MessageReader().push(Buffer.from("0000000066000000", "hex"))).toThrow("malformed");
  });
});
