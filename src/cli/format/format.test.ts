import { expect, test } from "bun:test";
import { type ContainerSummary, containerRows } from "./container-row.ts";
import { eventLine, parseEvent } from "./event-line.ts";
import { ellipsis, humanBinarySize, humanDuration, humanSize, shortId } from "./human.ts";
import { type ImageSummary, imageRows, splitImages } from "./image-row.ts";
import { infoText } from "./info-text.ts";
import { formatPorts } from "./ports.ts";
import { formatColumn, formatList, formatRows } from "./rows.ts";
import { alignColumns } from "./tabwriter.ts";

test.each([
  [0, "0B"],
  [999, "999B"],
  [1000, "1kB"],
  [1234, "1.23kB"],
  [4_270_000, "4.27MB"],
  [999_900, "1MB"],
  [123_456_789, "123MB"],
  [1_500_000_000_000, "1.5TB"],
])("%p bytes are %p", (bytes, text) => expect(humanSize(bytes, 3)).toBe(text));

test("memory counts in powers of 1024", () => {
  expect(humanBinarySize(8_226_123_776)).toBe("7.661GiB");
});

test.each([
  [0.5, "Less than a second"],
  [1.9, "1 second"],
  [59, "59 seconds"],
  [60, "About a minute"],
  [150, "2 minutes"],
  [3600, "About an hour"],
  [2 * 3600, "2 hours"],
  [47 * 3600, "47 hours"],
  [48 * 3600, "2 days"],
  [14 * 86400, "2 weeks"],
  [60 * 86400, "2 months"],
  [800 * 86400, "2 years"],
])("%p seconds are %p", (seconds, text) => expect(humanDuration(seconds)).toBe(text));

test("ids lose their algorithm and are cut, texts end in an ellipsis", () => {
  expect(shortId("sha256:0123456789abcdef")).toBe("0123456789ab");
  expect(ellipsis("/bin/sh -c 'sleep 1000'", 20)).toBe("/bin/sh -c 'sleep 1…");
  expect(ellipsis("äöü", 3)).toBe("äöü");
});

test("columns are ten wide at least, three apart, and elastic in runs of lines", () => {
  expect(alignColumns("A\tB\tC\nlong first cell\tb\tc")).toBe(
    "A                 B         C\nlong first cell   b         c",
  );
  expect(alignColumns("a\tb\nno tabs\nlonger than ten\td")).toBe("a         b\nno tabs\nlonger than ten   d");
});

const tcp = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
  PrivatePort,
  Type: "tcp",
  ...(PublicPort === undefined ? {} : { PublicPort }),
  ...(IP === undefined ? {} : { IP }),
});

test.each([
  [[tcp(80)], "80/tcp"],
  [[tcp(80, 8080, "0.0.0.0"), tcp(80, 8080, "::")], "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"],
  [[tcp(82, 82, "0.0.0.0"), tcp(80, 80, "0.0.0.0"), tcp(81, 81, "0.0.0.0")], "0.0.0.0:80-82->80-82/tcp"],
  [[tcp(80, 8000, "0.0.0.0"), tcp(81, 8001, "0.0.0.0")], "0.0.0.0:8000->80/tcp, 0.0.0.0:8001->81/tcp"],
  [[tcp(1, 1001, "::1"), tcp(2), tcp(3)], "2-3/tcp, [::1]:1001->1/tcp"],
  [[tcp(1), tcp(2), tcp(4)], "1-2/tcp, 4/tcp"],
  [[], ""],
])("ports %#", (ports, text) => expect(formatPorts(ports)).toBe(text));

const container: ContainerSummary = {
  Id: "4386fb97867d0123456789abcdef",
  Names: ["/web", "/db/web"],
  Image: "busybox",
  ImageID: "sha256:1111111111112222",
  Command: "sh -c 'while true; do sleep 1; done'",
  Created: 1_767_268_740,
  Ports: [tcp(80, 8080, "0.0.0.0")],
  SizeRw: 2,
  SizeRootFs: 7_800_000,
  Labels: { "com.example.some-name": "v", a: "1" },
  State: "running",
  Status: "Up About a minute",
  NetworkSettings: { Networks: { bridge: {} } },
  Mounts: [{ Source: "/some/long/path/on/the/host" }],
};
const nowMs = 1_767_268_800_000;
const rows = containerRows({ truncate: true, size: true, nowMs });

test("ps as a table", async () => {
  expect(await formatRows(rows, [container], undefined)).toBe(
    [
      "CONTAINER ID   IMAGE     COMMAND                  CREATED              STATUS              PORTS                  NAMES     SIZE",
      '4386fb97867d   busybox   "sh -c \'while true; …"   About a minute ago   Up About a minute   0.0.0.0:8080->80/tcp   web       2B (virtual 7.8MB)',
      "",
    ].join("\n"),
  );
});

test.each([
  ["{{.ID}}: {{.Names}}", "4386fb97867d: web\n"],
  ["{{.Mounts}} {{.Networks}} {{.LocalVolumes}}", "/some/long/pat… bridge 0\n"],
  ['{{.Label "a"}}{{.Label "nope"}}|{{.Labels}}', "1|a=1,com.example.some-name=v\n"],
  [
    String.raw`table {{.ID}}\t{{.Label "com.example.some-name"}}`,
    "CONTAINER ID   some name\n4386fb97867d   v\n",
  ],
  [String.raw`{{.ID}}\n`, "4386fb97867d\n\n"],
])("ps --format %p", async (format, text) => expect(await formatRows(rows, [container], format)).toBe(text));

test("ps --format json has every field as text, by name", async () => {
  const line = JSON.parse(await formatRows(rows, [container], "json"));
  expect(Object.keys(line)).toEqual([...Object.keys(line)].sort());
  expect(line).toMatchObject({ ID: "4386fb97867d", State: "running", RunningFor: "About a minute ago" });
  expect(line).not.toHaveProperty("Label");
});

test("ps --format raw has a field a line; with -q the id alone, as has a table", async () => {
  expect(await formatList(rows, [container], { format: "raw", quiet: false })).toMatch(
    /^container_id: 4386fb97867d\nimage: busybox\ncommand: .*\ncreated_at: .*\nstate: running\nstatus: Up .*\nnames: web\nlabels: .*\nports: .*\nsize: .*\n\n$/,
  );
  const quiet = (format: string | undefined) => formatList(rows, [container], { format, quiet: true });
  expect(await quiet("raw")).toBe("container_id: 4386fb97867d\n");
  expect(await quiet(undefined)).toBe("4386fb97867d\n");
  expect(await quiet("table")).toBe("4386fb97867d\n");
  expect(await quiet("{{.Names}}")).toBe("web\n");
});

test("a template that does not fit is an error of the command line", () => {
  expect(formatRows(rows, [container], "{{.Nope}}")).rejects.toThrow("can't evaluate field Nope");
});

test("-q prints one id a line", () =>
  expect(formatColumn(rows, [container, container], "ID")).toBe("4386fb97867d\n4386fb97867d\n"));

const image: ImageSummary = {
  Id: `sha256:${"a".repeat(64)}`,
  RepoTags: ["busybox:latest", "127.0.0.1:5000/b:1"],
  RepoDigests: [`busybox@sha256:${"d".repeat(64)}`],
  Created: 1_767_268_740,
  Size: 4_270_000,
  SharedSize: -1,
  Containers: -1,
};

test("an image has a line for each name", async () => {
  const table = imageRows({ truncate: true, digest: false, nowMs });
  expect(await formatRows(table, splitImages([image], false), undefined)).toBe(
    [
      "REPOSITORY         TAG       IMAGE ID       CREATED              SIZE",
      "busybox            latest    aaaaaaaaaaaa   About a minute ago   4.27MB",
      "127.0.0.1:5000/b   1         aaaaaaaaaaaa   About a minute ago   4.27MB",
      "",
    ].join("\n"),
  );
});

test("an image without a name is <none>, with digests each repository shows its own", () => {
  const names = (list: ImageSummary[], withDigest: boolean) =>
    splitImages(list, withDigest).map(({ repository, tag, digest }) => [repository, tag, digest.slice(0, 8)]);
  expect(names([{ ...image, RepoTags: [], RepoDigests: [] }], false)).toEqual([
    ["<none>", "<none>", "<none>"],
  ]);
  expect(names([image], true)).toEqual([
    ["busybox", "latest", "sha256:d"],
    ["127.0.0.1:5000/b", "1", "<none>"],
  ]);
  expect(names([{ ...image, RepoTags: null }], false)).toEqual([["busybox", "<none>", "sha256:d"]]);
});

test("an event is one line with sorted attributes", () => {
  const seconds = 1_767_268_740;
  const line = eventLine({
    Type: "container",
    Action: "start",
    Actor: { ID: "abc", Attributes: { name: "web", image: "busybox" } },
    time: seconds,
    timeNano: `${seconds}000000001`,
  });
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:59:00\.000000001(Z|[+-]\d\d:\d\d) container start abc \(image=busybox, name=web\)$/,
  );
});

test("an event keeps its nanoseconds", () => {
  expect(parseEvent('{"timeNano":1795233490789546001,"time":1795233490}')).toEqual({
    timeNano: "1795233490789546001",
    time: 1795233490,
  });
});

test("info leaves out what the engine does not say", () => {
  const text = infoText(
    {
      Containers: 3,
      ContainersRunning: 1,
      ContainersPaused: 0,
      ContainersStopped: 2,
      Images: 5,
      ServerVersion: "0.1.0",
      Driver: "overlay",
      DriverStatus: [["Backing Filesystem", "ext4"]],
      SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
      Plugins: { Network: ["bridge", "host"], Volume: [] },
      KernelVersion: "6.18",
      OperatingSystem: "Debian",
      OSType: "linux",
      Architecture: "x86_64",
      NCPU: 2,
      MemTotal: 1 << 30,
      Name: "box",
      ID: "i",
      DockerRootDir: "/var/lib/gantry",
      Debug: false,
    },
    "0.1.0",
  );
  expect(text).toContain(" Containers: 3\n  Running: 1\n");
  expect(text).toContain(" Storage Driver: overlay\n  Backing Filesystem: ext4\n");
  expect(text).toContain(" Security Options:\n  seccomp\n   Profile: builtin\n  cgroupns\n");
  expect(text).toContain(" Plugins:\n  Network: bridge host\n");
  expect(text).toContain(" Total Memory: 1GiB\n");
  expect(text).not.toContain("undefined");
  expect(text).not.toContain("Cgroup Version");
});
