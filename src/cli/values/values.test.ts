import { expect, test } from "bun:test";
import { parseDurationNs } from "../../formats/duration.ts";
import { processContext } from "../process-context.ts";
import { parseByteRate, parseDeviceWeight, parseOperationRate } from "./block-io.ts";
import { parseCpus } from "./cpus.ts";
import { checkDeviceRule, parseDevice } from "./device.ts";
import { resolveEnvironment } from "./environment.ts";
import { checkExtraHost } from "./host-entry.ts";
import { parseMount } from "./mount.ts";
import { parseExpose, parsePublish } from "./port.ts";
import { parseSize, parseSizeOrUnlimited } from "./size.ts";
import { parseTimestamp } from "./timestamp.ts";
import { parseUlimit } from "./ulimit.ts";
import { parseVolume } from "./volume.ts";

const { files } = processContext();

test.each([
  ["0", 0],
  ["42", 42],
  ["1b", 1],
  ["256m", 268435456],
  ["1.5g", 1610612736],
  ["1.5GiB", 1610612736],
  ["10 KB", 10240],
] as const)("the size %p is %p bytes", (raw, bytes) => expect(parseSize(raw)).toBe(bytes));

test.each(["", "m", "-1", "1x", "1,5g", "9999999p"])("%p is no size", (raw) => {
  expect(() => parseSize(raw)).toThrow(`invalid size: '${raw}'`);
});

test("swap may be unlimited", () => {
  expect(parseSizeOrUnlimited("-1")).toBe(-1);
  expect(() => parseSizeOrUnlimited("-2")).toThrow("invalid size");
});

test.each([
  ["1.5", 1500000000],
  ["2", 2000000000],
  [".25", 250000000],
  ["0.000000001", 1],
  ["1.0000000000", 1000000000],
] as const)("%p CPUs are %p NanoCpus", (raw, nano) => expect(parseCpus(raw)).toBe(nano));

test.each([
  ["x", "failed to parse x as a rational number"],
  ["", "failed to parse"],
  [".", "failed to parse"],
  ["-1", "failed to parse"],
  ["1.00000000001", "value is too precise"],
])("%p CPUs are refused", (raw, message) => expect(() => parseCpus(raw)).toThrow(message));

test.each([
  ["1h30m", 5400e9],
  ["1.5s", 1.5e9],
  ["-2ms", -2e6],
  ["0", 0],
  ["5", undefined],
  ["1d", undefined],
] as const)("the duration %p is %p ns", (raw, ns) => expect(parseDurationNs(raw)).toBe(ns));

const now = Date.parse("2026-01-01T12:00:00Z");
test.each([
  ["10m", "1767268200.000000000"],
  ["1136073845.000000001", "1136073845.000000001"],
  ["2006-01-02T15:04:05Z", "1136214245.000000000"],
  ["2006-01-02T15:04:05.123456789+01:00", "1136210645.123456789"],
])("the time %p is %p", (raw, wanted) => expect(parseTimestamp(raw, now)).toBe(wanted));

test("a time that is none is named", () => {
  expect(() => parseTimestamp("yesterday", now)).toThrow('time or duration: "yesterday"');
});

test.each([
  ["80", [["80/tcp", "", ""]]],
  ["8080:80", [["80/tcp", "", "8080"]]],
  ["127.0.0.1:53:53/udp", [["53/udp", "127.0.0.1", "53"]]],
  ["127.0.0.1::80", [["80/tcp", "127.0.0.1", ""]]],
  ["[::1]:77:77", [["77/tcp", "::1", "77"]]],
  [
    "9000-9001:80-81",
    [
      ["80/tcp", "", "9000"],
      ["81/tcp", "", "9001"],
    ],
  ],
  ["1-2:5", [["5/tcp", "", "1-2"]]],
] as const)("-p %p", (raw, wanted) => {
  const rows = parsePublish(raw).map(({ containerPort, hostIp, hostPort }) => [
    containerPort,
    hostIp,
    hostPort,
  ]);
  expect<unknown>(rows).toEqual(wanted);
});

test.each([
  ["99999:1", "invalid hostPort: 99999"],
  ["1:70000", "invalid containerPort: 70000"],
  ["a:b", "invalid containerPort: b"],
  ["1.2.3:1:1", "invalid IP address: 1.2.3"],
  ["1-2:1-3", "invalid ranges specified for container and host Ports: 1-3 and 1-2"],
  ["80/foo", "invalid proto: foo"],
  ["80:", "no port specified"],
])("-p %p is refused", (raw, message) => expect(() => parsePublish(raw)).toThrow(message));

test("--expose takes ranges", () => {
  expect(parseExpose("100-101/udp")).toEqual(["100/udp", "101/udp"]);
  expect(() => parseExpose("x")).toThrow("invalid range format for --expose: x");
});

test.each([
  ["type=bind,src=/x,dst=/y,readonly", { Type: "bind", Source: "/x", Target: "/y", ReadOnly: true }],
  [
    "type=tmpfs,dst=/t,tmpfs-size=10m,tmpfs-mode=1770",
    { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 10485760, Mode: 0o1770 } },
  ],
  [
    '"type=bind","source=/a,b",target=/zz,bind-propagation=rslave,bind-recursive=disabled',
    {
      Type: "bind",
      Source: "/a,b",
      Target: "/zz",
      BindOptions: { Propagation: "rslave", NonRecursive: true },
    },
  ],
  ["src=v,dst=/v", { Type: "volume", Source: "v", Target: "/v" }],
])("--mount %p", (raw, wanted) => expect<unknown>(parseMount(raw)).toEqual(wanted));

test("a relative bind source is taken from the working directory", () => {
  expect(parseVolume(files, "./x:/x:ro")).toEqual({ kind: "bind", bind: `${process.cwd()}/x:/x:ro` });
});

test.each([
  ["type=bind,src=/x", "target is required"],
  ["foo", "invalid field 'foo' must be a key=value pair"],
  ["type=bind,src=/a,dst=/b,foo=x", "unexpected key 'foo' in 'foo=x'"],
  ["type=bind,src=/a,dst=/b,ro=x", "invalid value for ro: x"],
  ["type=tmpfs,dst=/a,tmpfs-size=x", "invalid value for tmpfs-size: x"],
  ["type=tmpfs,dst=/a,bind-propagation=shared", "cannot mix 'bind-*' options with mount type 'tmpfs'"],
  ["type=bind,src=/a,dst=/b,volume-nocopy=1", "cannot mix 'volume-*' options with mount type 'bind'"],
  ["type=volume,dst=/b,volume-driver=x", "mount option 'volume-driver' is not supported"],
  [
    "type=bind,src=/a,dst=/b,bind-recursive=writable",
    "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction",
  ],
  [
    "type=bind,src=/a,dst=/b,bind-recursive=readonly,readonly",
    "requires 'bind-propagation=rprivate' to be specified in conjunction",
  ],
])("--mount %p is refused", (raw, message) => expect(() => parseMount(raw)).toThrow(message));

test.each([
  ["", "invalid empty volume spec"],
  [":/x", "empty section between colons"],
  ["/a:/b:ro:z", "invalid volume specification"],
])("-v %p is refused", (raw, message) => expect(() => parseVolume(files, raw)).toThrow(message));

test.each([
  ["nofile=10:20", { Name: "nofile", Soft: 10, Hard: 20 }],
  ["core=-1", { Name: "core", Soft: -1, Hard: -1 }],
  ["nproc=5", { Name: "nproc", Soft: 5, Hard: 5 }],
])("--ulimit %p", (raw, wanted) => expect(parseUlimit(raw)).toEqual(wanted));

test.each([
  ["foo", "invalid ulimit argument: foo"],
  ["foo=1", "invalid ulimit type: foo"],
  ["nofile=5:1", "ulimit soft limit must be less than or equal to hard limit: 5 > 1"],
  ["nofile=x", '"x" is not a limit'],
  ["nofile=-1:5", "ulimit soft limit"],
])("--ulimit %p is refused", (raw, message) => expect(() => parseUlimit(raw)).toThrow(message));

test.each([
  ["/dev/null", ["/dev/null", "/dev/null", "rwm"]],
  ["/dev/null:r", ["/dev/null", "/dev/null", "r"]],
  ["/dev/null:/dev/nn", ["/dev/null", "/dev/nn", "rwm"]],
  ["/dev/null:/dev/nn:rm", ["/dev/null", "/dev/nn", "rm"]],
])("--device %p", (raw, wanted) => expect<unknown>(Object.values(parseDevice(raw))).toEqual(wanted));

test.each([
  ["foo", "foo is not an absolute path"],
  ["/a:/b:c:d", "bad format for path: /a:/b:c:d"],
  ["/a:/b:xyz", "bad mode specified: xyz"],
])("--device %p is refused", (raw, message) => expect(() => parseDevice(raw)).toThrow(message));

test("a bare variable is copied from the client, and stays bare when it is not set there", () => {
  expect(resolveEnvironment(["A=0", "HOME", "NOPE", "EMPTY=", "A=1"], { HOME: "/root" })).toEqual([
    "A=1",
    "HOME=/root",
    "NOPE",
    "EMPTY=",
  ]);
});

test("host entries", () => {
  expect(checkExtraHost("x:1.2.3.4")).toBe("x:1.2.3.4");
  expect(checkExtraHost("y=[::1]")).toBe("y:::1");
  expect(checkExtraHost("h:host-gateway")).toBe("h:host-gateway");
  expect(() => checkExtraHost("foo")).toThrow('bad format for add-host: "foo"');
  expect(() => checkExtraHost("a:b")).toThrow('invalid IP address in add-host: "b"');
});

test("limits of devices that are refused, in Docker's words", () => {
  const rate = "invalid rate for device: /dev/a:x. The correct format is <device-path>:<number>";
  expect(() => parseByteRate("/dev/a:x")).toThrow(`${rate}[<unit>]. Number must be a positive integer`);
  expect(() => parseOperationRate("/dev/a:x")).toThrow(`${rate}. Number must be a positive integer`);
  expect(() => parseOperationRate("a:1")).toThrow("bad format for device path: a:1");
  expect(() => parseByteRate("/dev/a")).toThrow("bad format: /dev/a");
  for (const weight of ["5", "1001", "x"])
    expect(() => parseDeviceWeight(`/dev/a:${weight}`)).toThrow(
      `invalid weight for device: /dev/a:${weight}`,
    );
  expect(() => checkDeviceRule("c 1:3")).toThrow("invalid device cgroup format 'c 1:3'");
});
