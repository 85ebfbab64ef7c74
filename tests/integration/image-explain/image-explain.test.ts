import { afterAll, beforeAll, expect, test } from "bun:test";
import { hostArchitecture } from "../../../scripts/image-archive.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { baseImage, layeredImage } from "../../fixtures/layered-image.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start({ name: "image-explain" });
  await engine.load(layeredImage("layered:one"));
  await engine.load(baseImage("base:one"));
}, 30_000);
afterAll(() => engine[Symbol.asyncDispose]());

const wantedText = `\
image     DIGEST  linux/${hostArchitecture()}, made AGES ago
names     layered:one
manifest  DIGEST  application/vnd.oci.image.manifest.v1+json, 701B
config    DIGEST  application/vnd.oci.image.config.v1+json, 640B
layers    3: 328kB as blobs, 315kB unpacked
content   3 files, 115kB
wasted    200kB (63%) in 5 files that later layers hide
shared    200kB with other images; 115kB for this one alone

#       BLOB  UNPACKED    ADDED  CHANGED  DELETED   WASTED  INSTRUCTION
1      207kB     200kB       10        0        0    200kB  ADD file:base in /
   DIGEST, shared with base:one
        100kB + etc/config  (hidden by layer 2)
         50kB + opt/alias  (hidden by layer 2)
         30kB + var/cache/a  (hidden by layer 3)
         20kB + var/cache/b  (hidden by layer 3)
                                                            CMD ["/kept"]
2      113kB     110kB        0        1        2           RUN edit && rm /opt/tool
   DIGEST
        110kB ~ etc/config
         50kB - opt/tool
           0B - opt/alias
3     7.68kB       5kB        1        0        1           COPY cache /var/cache
   DIGEST
         50kB - var/cache/ (all that was in it)
          5kB + var/cache/c

   WASTED   LAYERS  LARGEST FILES THAT LATER LAYERS HIDE
    100kB    1 -> 2  etc/config
     50kB    1 -> 2  opt/alias
     30kB    1 -> 3  var/cache/a
     20kB    1 -> 3  var/cache/b`;

test("each layer with what it adds, changes and deletes, and what of it later layers hide", async () => {
  const text = await engine.must("gantry", "image", "explain", "layered:one");
  const stable = text.replace(/\b[0-9a-f]{12}\b/g, "DIGEST").replace(/made \d+ years ago/, "made AGES ago");
  expect(stable).toBe(wantedText);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("JSON has the whole chain from the names to the bytes", async () => {
  const anatomy = JSON.parse(await engine.must("gantry", "image", "explain", "--json", "layered:one"));
  const inspected = await engine.json("GET", "/images/layered:one/json");
  expect(anatomy.id).toBe(inspected.Id);
  expect(anatomy.config.digest).toBe(inspected.Id);
  expect(anatomy.layers.map((layer: { diffId: string }) => layer.diffId)).toEqual(inspected.RootFS.Layers);
  const blobBytes: number[] = anatomy.layers.map(
    ({ blob }: { blob: { sizeBytes: number } }) => blob.sizeBytes,
  );
  expect(anatomy.totals).toEqual({
    blobBytes: blobBytes.reduce((sum, bytes) => sum + bytes, 0),
    unpackedBytes: inspected.Size,
    sharedBytes: 200_000,
    visible: { count: 3, sizeBytes: 115_000 },
    // Two names of one file of 50 kB, deleted; a file written again; two files in an emptied directory.
    wasted: { count: 5, sizeBytes: 200_000 },
  });
  expect(anatomy.wastedFiles[0]).toEqual({ path: "etc/config", sizeBytes: 100_000, layer: 1, shadowedBy: 2 });
});

test("what a container sees is what the anatomy counts", async () => {
  const anatomy = await engine.json("GET", "/gantry/v1/images/layered:one/anatomy?files=all");
  const gone = new Set(["var/cache/", ...anatomy.wastedFiles.map(({ path }: { path: string }) => path)]);
  const { Id } = await engine.json("POST", "/containers/create", { Image: "layered:one" });
  const archive = await engine.fetch("GET", `/containers/${Id}/export`);
  const listing = Bun.spawnSync(["tar", "-t"], { stdin: Buffer.from(await archive.arrayBuffer()) });
  const files = listing.stdout.toString().split("\n");
  for (const path of ["etc/config", "var/cache/c", "kept"]) expect(files).toContain(path);
  for (const path of ["opt/tool", "opt/alias", "var/cache/a", "var/cache/b"]) {
    expect(files).not.toContain(path);
    expect(gone.has(path) || path === "opt/tool").toBe(true);
  }
});

test("--layer names all files of one layer, --files all of all", async () => {
  const one = await engine.must("gantry", "image", "explain", "--layer", "2", "layered:one");
  expect(one).toContain("- opt/alias");
  expect(one).not.toContain("+ etc/config");
  const all = await engine.must("gantry", "image", "explain", "--files", "layered:one");
  for (const path of ["+ etc/", "+ opt/alias", "- var/cache/ (all that was in it)", "+ var/cache/c"])
    expect(all).toContain(path);
});

test("a layer or an image that is not there is an error", async () => {
  const layer = await engine.gantry(["image", "explain", "--layer", "4", "layered:one"]);
  expect(layer.stderr).toBe(
    "gantry: image layered:one has no layer 4\nhint: its layers are counted from 1 to 3\n",
  );
  expect(layer.exitCode).toBe(1);
  const image = await engine.gantry(["image", "explain", "missing"]);
  expect(image.stderr).toStartWith("gantry: No such image: missing:latest\n");
  const platform = await engine.gantry(["image", "explain", "--platform", "linux/s390x", "layered:one"]);
  expect(platform.stderr).toContain("does not provide the specified platform (linux/s390x)");
});
