import { expect, test } from "bun:test";
import { Container } from "./container.ts";
import { type ContainerRecord, initialState } from "./container-record.ts";
import { listContainers } from "./list-containers.ts";

const record = (patch: Partial<ContainerRecord>): ContainerRecord => ({
  version: 1,
  id: "a".repeat(64),
  name: "web",
  createdAt: "2026-01-01T00:00:00.000001Z",
  config: { Image: "busybox" },
  hostConfig: {},
  imageId: `sha256:${"1".repeat(64)}`,
  imageConfig: {},
  mounts: [],
  state: initialState,
  endpoint: undefined,
  cgroupPath: undefined,
  restartCount: 0,
  ...patch,
});

const web = new Container(
  record({
    state: { ...initialState, status: "running" },
    config: { Image: "busybox", Labels: { tier: "front" }, ExposedPorts: { "80/tcp": {}, "53/udp": {} } },
    hostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } },
    mounts: [
      { Type: "bind", Source: "/srv", Destination: "/data", Mode: "", RW: true, Propagation: "rprivate" },
    ],
  }),
);
const database = new Container(
  record({
    id: "b".repeat(64),
    name: "db",
    createdAt: "2026-01-01T00:00:00.000002Z",
    imageId: `sha256:${"2".repeat(64)}`,
    state: { ...initialState, status: "exited", exitCode: 137 },
    hostConfig: { NetworkMode: "none" },
  }),
);
const fresh = new Container(
  record({ id: "c".repeat(64), name: "web-2", createdAt: "2026-01-01T00:00:00.000003Z" }),
);
const all = [web, database, fresh];
const sources = {
  find: (reference: string) => all.find((container) => container.name === reference),
  imageIds: (reference: string) => (reference === "debian" ? [database.record.imageId] : []),
};

const names = (
  filters: Record<string, string[]>,
  options: { all?: boolean; limit?: number } = {},
): string[] =>
  listContainers(
    all,
    { all: options.all ?? true, limit: options.limit, filters: new Map(Object.entries(filters)) },
    sources,
  ).map(({ name }) => name);

test("only live ones without `all`, newest first with it", () => {
  expect(names({}, { all: false })).toEqual(["web"]);
  expect(names({})).toEqual(["web-2", "db", "web"]);
});

test.each([
  ["status", "exited", ["db"]],
  ["before", "db", ["web"]],
  ["since", "db", ["web-2"]],
  ["exited", "137", ["db"]],
])("filter %p=%p shows stopped ones too", (key, value, wanted) => {
  expect(names({ [key]: [value] }, { all: false })).toEqual(wanted);
});

test("a limit counts from the newest, in any state", () => {
  expect(names({}, { all: false, limit: 2 })).toEqual(["web-2", "db"]);
});

test.each([
  ["id", "bb", ["db"]],
  ["name", "^/web$", ["web"]],
  ["name", "web", ["web-2", "web"]],
  ["label", "tier=front", ["web"]],
  ["ancestor", "debian", ["db"]],
  ["ancestor", "missing", []],
  ["network", "none", ["db"]],
  ["network", "bridge", ["web-2", "web"]],
  ["volume", "/data", ["web"]],
  ["expose", "53/udp", ["web"]],
  ["expose", "53", []],
  ["publish", "70-90", ["web"]],
  ["publish", "8080", []], // the container's port counts
  ["health", "none", ["web-2", "db", "web"]],
  ["is-task", "true", []],
  ["exited", "0", []], // a container that never ran has not exited
])("filter %p=%p gives %p", (key, value, wanted) => {
  expect(names({ [key]: [value] })).toEqual(wanted);
});

test.each([
  ["colour", "red"],
  ["status", "sleeping"],
  ["health", "fine"],
  ["exited", "zero"],
  ["before", "nobody"],
  ["publish", "http"],
])("filter %p=%p is refused", (key, value) => {
  expect(() => names({ [key]: [value] })).toThrow("invalid filter");
});
