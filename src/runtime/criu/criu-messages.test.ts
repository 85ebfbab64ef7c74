import { expect, test } from "bun:test";
import { decodeProtobuf, encodeProtobuf } from "../../formats/protobuf.ts";
import { decodeCriuResponse, encodeCriuNotified, encodeCriuRequest } from "./criu-messages.ts";

const base = {
  imagesDirFd: 4,
  workDirFd: 5,
  logFile: "dump.log",
  root: "/r",
  manageCgroupsMode: "soft",
} as const;

function optionsOf(request: Uint8Array) {
  return decodeProtobuf(decodeProtobuf(request).get(2)?.[0] as Uint8Array);
}
const texts = (values: readonly (bigint | Uint8Array)[] = []) =>
  values.map((value) => Buffer.from(value as Uint8Array).toString());

test("a request has its type, and only the options that were asked for", () => {
  const request = encodeCriuRequest("dump", { ...base, pid: 42, leaveRunning: false });
  expect(decodeProtobuf(request).get(1)).toEqual([1n]);
  const options = optionsOf(request);
  expect([...options.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 9, 10, 13, 17, 24, 34]);
  expect(options.get(2)).toEqual([42n]);
  expect(options.get(3)).toEqual([0n]);
  expect(options.get(34)).toEqual([3n]);
  expect(texts(options.get(10))).toEqual(["dump.log"]);
});

test("lists are repeated fields, pairs are messages of their own", () => {
  const options = optionsOf(
    encodeCriuRequest("restore", {
      ...base,
      external: ["net[7]:n", "file[1:2]"],
      externalMounts: [{ key: "/etc/hosts", value: "/h" }],
      cgroupRoots: [{ key: "", value: "/a/b" }],
      inheritFds: [{ key: "pipe:[3]", fd: 1 }],
      pageServer: { address: "127.0.0.1", port: 27 },
    }),
  );
  expect(texts(options.get(37))).toEqual(["net[7]:n", "file[1:2]"]);
  const nested = (field: number) => decodeProtobuf(options.get(field)?.[0] as Uint8Array);
  expect(texts(nested(23).get(1)).concat(texts(nested(23).get(2)))).toEqual(["/etc/hosts", "/h"]);
  expect(texts(nested(25).get(1)).concat(texts(nested(25).get(2)))).toEqual(["", "/a/b"]);
  expect(nested(27).get(2)).toEqual([1n]);
  expect(nested(11).get(2)).toEqual([27n]);
});

test("responses are taken apart", () => {
  const notify = encodeProtobuf([
    [1, "post-restore"],
    [2, 77],
  ]);
  const response = encodeProtobuf([
    [1, 6],
    [2, true],
    [5, notify],
  ]);
  expect(decodeCriuResponse(response)).toMatchObject({
    success: true,
    notify: { script: "post-restore", pid: 77 },
  });
  const failed = encodeProtobuf([
    [1, 1],
    [2, false],
    [7, -3],
    [9, "no such process"],
  ]);
  expect(decodeCriuResponse(failed)).toMatchObject({
    success: false,
    errno: 3,
    message: "no such process",
    notify: undefined,
  });
  const version = encodeProtobuf([
    [1, 3],
    [2, 17],
    [4, 1],
  ]);
  const answered = encodeProtobuf([
    [1, 10],
    [2, true],
    [10, version],
  ]);
  expect(decodeCriuResponse(answered).version).toBe(31701);
});

test("an acknowledgement is a notify request", () => {
  expect(decodeProtobuf(encodeCriuNotified(true)).get(3)).toEqual([1n]);
});
