import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { deepTree } from "../../fixtures/deep-tree.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { pushImage } from "../pull/push-image.ts";
import { diskTruth } from "./disk-truth.ts";

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  const base = await busyboxFiles();
  const top = [{ name: "top", content: "x".repeat(5000) }];
  await pushImage(registry.host, "busybox", "1", { layers: [base], format: "oci", compression: "gzip" });
  await pushImage(registry.host, "stack", "1", { layers: [base, top], format: "oci", compression: "gzip" });
  engine = await TestEngine.start({ name: "prune" });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);
beforeEach(async () => {
  await engine.removeContainers();
  await engine.must("gantry", "system", "prune", "-af");
});

const pull = async (name: string): Promise<string> => {
  const reference = `${registry.host}/${name}`;
  await engine.must("gantry", "pull", "-q", reference);
  return reference;
};

interface Planned {
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
}

async function planOf(query: string): Promise<{ objects: Planned[]; bytes: number }> {
  const { objects } = await engine.json("GET", `/gantry/v1/prune?${query}`);
  return { objects, bytes: objects.reduce((sum: number, one: Planned) => sum + one.bytes, 0) };
}
const planOfAllImages = () => planOf(`images=${encodeURIComponent('{"dangling":["false"]}')}`);

test("a container whose directories are deeper than paths reach is measured and removed as others are", async () => {
  await engine.must("gantry", "create", "--name", "deep", await pull("busybox:1"), "true");
  const upper = await engine.must("gantry", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", "deep");
  await deepTree(upper, 2500);
  const { Containers } = await engine.json("GET", "/v1.51/system/df");
  expect(Containers[0].SizeRw).toBeGreaterThan(500);
  await engine.must("gantry", "ps", "--all", "--size");
  await engine.must("gantry", "rm", "deep");
  await waitFor("an empty trash", () => readdirSync(join(engine.root, "snapshots/trash")).length === 0);
}, 60_000);

describe.each(clients)("with %s", (client) => {
  test("system df says what the file system says", async () => {
    const stack = await pull("stack:1");
    await pull("busybox:1");
    await engine.must(client, "run", "--name", "writer", stack, "sh", "-c", "head -c 100000 /dev/zero > /x");
    const [images, containers] = (await engine.must(client, "system", "df", "--format", "json"))
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(images).toMatchObject({ Type: "Images", TotalCount: "2", Active: "1" });
    expect(containers).toMatchObject({ Type: "Containers", TotalCount: "1", Active: "0", Size: "100kB" });
    const truth = diskTruth(engine.root);
    const { LayersSize, Images, Containers } = await engine.json("GET", "/v1.51/system/df");
    expect([LayersSize, Containers[0].SizeRw]).toEqual([truth.layerBytes, 100_000]);
    const [shared, sizes] = [Images[0].SharedSize, Images.map(({ Size }: { Size: number }) => Size)];
    expect(Images[1].SharedSize).toBe(shared);
    expect(sizes.toSorted()).toEqual([shared, shared + 5000]);
    expect(LayersSize).toBe(shared + 5000);
    const { blobs } = await engine.json("GET", "/gantry/v1/storage");
    expect(blobs).toEqual({
      total: truth.blobs.length,
      active: truth.blobs.length,
      bytes: truth.blobBytes,
      reclaimableBytes: 0,
    });
    const verbose = await engine.must(client, "system", "df", "-v");
    expect(verbose).toMatch(
      /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$/m,
    );
    const template =
      "{{range .Images}}{{.Repository}}:{{.Tag}} {{.Containers}};{{end}}{{range .Containers}}{{.Names}}{{end}}";
    expect(await engine.must(client, "system", "df", "-v", "--format", template)).toContain("stack:1 1;");
    const all = JSON.parse(await engine.must(client, "system", "df", "-v", "--format", "json"));
    expect(all).toMatchObject({
      Images: [{}, {}],
      Containers: [{ Names: "writer" }],
      Volumes: [],
      BuildCache: [],
    });
    expect(verbose).toMatch(/^[0-9a-f]{12} +.*stack:1 +.* +0 +100kB +.* +writer$/m);
  }, 60_000);

  test("container prune removes those without a process, and tells their space", async () => {
    const busybox = await pull("busybox:1");
    const script = "echo 12345 > /x";
    await engine.must(client, "run", "--name", "ended", "--label", "a=1", busybox, "sh", "-c", script);
    await engine.must(client, "create", "--name", "created", "--label", "a=2", busybox, "true");
    await engine.must(client, "run", "-d", "--name", "live", busybox, "sleep", "1000");
    const names = () => engine.must("gantry", "ps", "-a", "--format", "{{.Names}}");
    const prune = (...args: string[]) => engine.must(client, "container", "prune", "-f", ...args);
    expect(await prune("--filter", "until=1h")).toBe("Total reclaimed space: 0B");
    expect(await prune("--filter", "label!=a")).toBe("Total reclaimed space: 0B");
    expect(await names()).toBe("live\ncreated\nended");
    expect(await prune("--filter", "label=a=1")).toMatch(
      /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 6B$/,
    );
    await prune();
    expect(await names()).toBe("live");
    expect(diskTruth(engine.root).tops).toHaveLength(1);
    const refused = await engine[client](["container", "prune", "-f", "--filter", "dangling=true"]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining("invalid filter 'dangling'"),
    ]);
  }, 60_000);

  test("image prune takes images without a tag, with -a those without a container", async () => {
    const busybox = await pull("busybox:1");
    const stack = await pull("stack:1");
    await engine.must(client, "create", "--name", "user", busybox, "true");
    const before = diskTruth(engine.root);
    expect(await engine.must(client, "image", "prune", "-f")).toBe("Total reclaimed space: 0B");
    expect(diskTruth(engine.root)).toEqual(before);

    const { bytes } = await planOfAllImages();
    const output = await engine.must(client, "image", "prune", "-af");
    expect(output).toContain(`untagged: ${stack}\n`);
    expect(output.match(/^deleted: sha256:[0-9a-f]{64}$/gm)).toHaveLength(2);
    const after = diskTruth(engine.root);
    expect(before.blobBytes + before.layerBytes - after.blobBytes - after.layerBytes).toBe(bytes);
    expect(await engine.must("gantry", "images", "--format", "{{.Repository}}")).toBe(
      busybox.replace(":1", ""),
    );
    expect(await engine.must(client, "start", "-a", "user")).toBe("");
  }, 60_000);

  test("system prune leaves what is in use, and nothing else", async () => {
    const busybox = await pull("busybox:1");
    await pull("stack:1");
    await engine.must(client, "run", "-d", "--name", "live", busybox, "sleep", "1000");
    await engine.must(client, "run", "--name", "ended", busybox, "true");
    const output = await engine.must(client, "system", "prune", "-af");
    expect(output).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n\nDeleted Images:\n/);
    const { blobs, layers, tops } = diskTruth(engine.root);
    expect([blobs.length, layers.length, tops.length]).toEqual([3, 1, 1]);
    expect(await engine.must(client, "exec", "live", "echo", "on")).toBe("on");
  }, 60_000);
});

test("--dry-run changes nothing, and says what the prune then does", async () => {
  const busybox = await pull("busybox:1");
  await pull("stack:1");
  await engine.must("gantry", "run", "-d", "--name", "live", busybox, "sleep", "1000");
  await engine.must("gantry", "run", "--name", "ended", busybox, "sh", "-c", "echo 12345 > /x");
  const before = diskTruth(engine.root);
  const shown = await engine.must("gantry", "system", "prune", "-a", "--dry-run");
  expect(shown).toMatch(/^container +ended +- +it is exited$/m);
  expect(shown).toMatch(/^image +.*stack:1 +- +no container uses it$/m);
  expect(shown).toMatch(/^writable top +[0-9a-f]{12} +6B +container ended goes$/m);
  const all = encodeURIComponent('{"dangling":["false"]}');
  const { objects, bytes } = await planOf(`containers={}&images=${all}`);
  expect(diskTruth(engine.root)).toEqual(before);

  const { SpaceReclaimed: fromContainers } = await engine.json("POST", "/v1.51/containers/prune");
  const { SpaceReclaimed: fromImages } = await engine.json("POST", `/v1.51/images/prune?filters=${all}`);
  expect(fromContainers + fromImages).toBe(bytes);
  const after = diskTruth(engine.root);
  const gone = (kind: "blobs" | "layers" | "tops") =>
    before[kind].filter((name) => !after[kind].includes(name));
  const planned = (kind: string) =>
    objects.flatMap((one) => (one.kind === kind ? [one.name.replace("sha256:", "")] : [])).toSorted();
  expect([gone("blobs"), gone("layers"), gone("tops")]).toEqual([
    planned("blob"),
    planned("layer"),
    planned("snapshot"),
  ]);
}, 60_000);

test("a prune asks before it does anything", async () => {
  await engine.must("gantry", "create", "--name", "kept", await pull("busybox:1"), "true");
  const no = await engine.gantry(["container", "prune"], { input: "n\n" });
  expect([no.exitCode, no.stdout]).toEqual([
    1,
    expect.stringContaining("This will remove all stopped containers."),
  ]);
  expect(await engine.must("gantry", "ps", "-aq")).not.toBe("");
  const yes = await engine.gantry(["container", "prune"], { input: "y\n" });
  expect([yes.exitCode, await engine.must("gantry", "ps", "-aq")]).toEqual([0, ""]);
}, 30_000);

test("system df --why names who keeps an image's, a container's and a digest's bytes", async () => {
  const busybox = await pull("busybox:1");
  await engine.must("gantry", "create", "--name", "box", busybox, "true");
  const [layer = ""] = diskTruth(engine.root).layers;
  const why = (...names: string[]) => engine.must("gantry", "system", "df", "--why", ...names);
  const ofLayer = await why(`sha256:${layer}`);
  expect(ofLayer).toMatch(/^unpacked layer [0-9a-f]{12} +\S+B\n/);
  expect(ofLayer).toContain(`    image ${busybox} > `);
  expect(ofLayer).toMatch(/^ {4}container box > writable top [0-9a-f]{12}$/m);
  expect(await why("box")).toMatch(/^writable top [0-9a-f]{12} +0B\n {4}container box\n/);
  expect(await why(busybox)).toContain(ofLayer);
  await engine.must("gantry", "rmi", "-f", busybox);
  const left = await why(layer.slice(0, 12));
  expect(left).not.toContain("image");
  expect(left).toContain("container box");
  const { exitCode, stderr } = await engine.gantry(["system", "df", "--why", "nothing"]);
  expect([exitCode, stderr]).toEqual([1, "gantry: No such image, container, blob or layer: nothing\n"]);
}, 30_000);

test("Docker's fields have Docker's types when there is nothing", async () => {
  expect(await engine.json("POST", "/v1.51/containers/prune")).toEqual({
    ContainersDeleted: null,
    SpaceReclaimed: 0,
  });
  expect(await engine.json("POST", "/v1.51/images/prune")).toEqual({
    ImagesDeleted: null,
    SpaceReclaimed: 0,
  });
  expect(await engine.json("POST", "/v1.51/networks/prune")).toEqual({ NetworksDeleted: null });
  expect(await engine.json("POST", "/v1.51/volumes/prune")).toEqual({
    VolumesDeleted: [],
    SpaceReclaimed: 0,
  });
  expect(await engine.json("POST", "/v1.51/build/prune")).toEqual({ CachesDeleted: null, SpaceReclaimed: 0 });
  const nothing = { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] };
  expect(await engine.json("GET", "/v1.51/system/df")).toEqual(nothing);
  expect(await engine.json("GET", "/v1.51/system/df?type=container&type=volume")).toEqual({
    ...nothing,
    Images: null,
    BuildCache: null,
  });
  expect(await engine.json("GET", "/v1.41/system/df?type=nonsense")).toEqual(nothing);
  expect((await engine.fetch("GET", "/v1.42/system/df?type=nonsense")).status).toBe(400);
});

test("a prune is an event that tells its space", async () => {
  await engine.must("gantry", "run", "--name", "x", await pull("busybox:1"), "sh", "-c", "echo 12345 > /x");
  const since = Math.floor(Date.now() / 1000) - 1;
  await engine.must("gantry", "container", "prune", "-f");
  const filters = ["--filter", "event=prune", "--filter", "type=container"];
  const range = ["--since", `${since}`, "--until", `${since + 3}`];
  const events = await engine.must("gantry", "events", ...range, ...filters, "--format", "json");
  expect(JSON.parse(events.split("\n").at(-1) ?? "")).toMatchObject({
    Type: "container",
    Action: "prune",
    Actor: { Attributes: { reclaimed: "6" } },
  });
}, 30_000);
