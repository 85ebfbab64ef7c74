import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { hostArchitecture, packImage, packTar } from "../../../scripts/image-archive.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { type MultiPlatform, pushMultiPlatform } from "../../fixtures/multi-platform.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

let engine: TestEngine;
let registry: TestRegistry;
let app: string;
let pushed: MultiPlatform;
let directory: string;
beforeAll(async () => {
  registry = await TestRegistry.start();
  engine = await TestEngine.start({ name: "image-platforms" });
  directory = scratchDirectory("image-platforms");
  pushed = await pushMultiPlatform(registry, "app:latest");
  app = `${registry.host}/app:latest`;
  // The name stands for both, and means this machine's by itself.
  for (const architecture of ["amd64", "arm64"])
    await engine.must("gantry", "pull", "--platform", `linux/${architecture}`, app);
}, 60_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const architecture = "{{.Architecture}}";
const inspect = async (reference: string) =>
  JSON.parse(await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${reference}`]));

describe.each(clients)("with %s", (client) => {
  test("inspect takes the platform that is asked for", async () => {
    expect(await engine.must(client, "image", "inspect", "-f", architecture, app)).toBe("amd64");
    for (const wanted of ["amd64", "arm64"]) {
      const args = ["image", "inspect", "--platform", `linux/${wanted}`, "-f", architecture, app];
      expect(await engine.must(client, ...args)).toBe(wanted);
    }
    const missing = await engine[client](["image", "inspect", "--platform", "linux/s390x", app]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain(
      `image with reference ${app} was found but does not provide the specified platform (linux/s390x)`,
    );
  });

  test("create warns of an image for another machine, unless it was asked for", async () => {
    const foreign = process.arch === "arm64" ? "amd64" : "arm64";
    const only = `only-${foreign}-${client}`;
    const archive = packImage({
      tags: [only],
      layers: [packTar([])],
      config: { Cmd: ["/x"] },
      architecture: foreign,
    });
    await engine.load(archive);
    const create = (...more: string[]) => engine[client](["create", ...more]);
    expect((await create(only)).stderr).toMatch(
      `The requested image's platform (linux/${foreign}) does not match the detected host platform (linux/`,
    );
    expect((await create("--platform", `linux/${foreign}`, only)).stderr).toBe("");
    expect((await create("--platform", `linux/${hostArchitecture()}`, app)).stderr).toBe("");
    await engine.removeContainers();
    await engine.must(client, "rmi", only);
  });

  test("history takes the platform that is asked for", async () => {
    const ids = await Promise.all(
      ["amd64", "arm64"].map((wanted) =>
        engine.must(client, "history", "-q", "--no-trunc", "--platform", `linux/${wanted}`, app),
      ),
    );
    expect(ids[0]?.split("\n")[0]).not.toBe(ids[1]?.split("\n")[0]);
  });

  test("push sends one platform under the tag", async () => {
    for (const wanted of ["amd64", "arm64"] as const) {
      const target = `${registry.host}/${client}-${wanted}:one`;
      await engine.must(client, "tag", app, target);
      await engine.must(client, "push", "--platform", `linux/${wanted}`, target);
      expect((await inspect(target)).Architecture).toBe(wanted);
      expect((await inspect(target)).Digest).toBe(pushed.manifests[wanted]);
    }
  });

  test("save writes one platform, and load takes it alone", async () => {
    const file = join(directory, `${client}.tar`);
    await engine.must(client, "save", "--platform", "linux/amd64", "-o", file, app);
    await using other = await TestEngine.start({ name: `image-platforms-${client}` });
    const refused = await other[client](["load", "--platform", "linux/arm64", "-i", file]);
    expect(refused.stdout + refused.stderr).toContain("image archive: it has no image for linux/arm64");
    expect(await other.must(client, "images", "-q")).toBe("");
    await other.must(client, "load", "--platform", "linux/amd64", "-i", file);
    expect(await other.must(client, "image", "inspect", "-f", architecture, app)).toBe("amd64");
  }, 30_000);

  test("save and load take several platforms, which stay one name", async () => {
    const file = join(directory, `${client}-both.tar`);
    await engine.must("gantry", "save", "--platform", "linux/amd64,linux/arm64", "-o", file, app);
    await using other = await TestEngine.start({ name: `image-platforms-both-${client}` });
    const shown = (wanted: string) =>
      other[client](["image", "inspect", "--platform", `linux/${wanted}`, "-f", architecture, app]);
    await other.must(client, "load", "-i", file);
    expect((await shown("amd64")).stdout.trim()).toBe("amd64");
    expect((await shown("arm64")).exitCode).toBe(1);
    // Docker's client takes one at a time: what comes later stands beside what is there.
    const each = [
      ["--platform", "linux/amd64"],
      ["--platform", "linux/arm64"],
    ];
    for (const flags of client === "gantry" ? [each.flat()] : each) {
      expect(await other.must(client, "load", ...flags, "-i", file)).not.toContain("renaming");
    }
    for (const wanted of ["amd64", "arm64"]) expect((await shown(wanted)).stdout.trim()).toBe(wanted);
    expect(await other.must(client, "images", "--format", "{{.Repository}}:{{.Tag}}")).toBe(app);
    const again = `${registry.host}/loaded/${client}:1`;
    await other.must(client, "tag", app, again);
    expect(await other.must(client, "push", again)).toContain(`1: digest: ${pushed.digest}`);
    const archive = `oci-archive:${file}`;
    const raw = await mustRun(["skopeo", "inspect", "--raw", archive]);
    expect(JSON.parse(raw).manifests).toHaveLength(2);
    const missing = await other[client](["load", "--platform", "linux/s390x", "-i", file]);
    expect(missing.stdout + missing.stderr).toContain("it has no image for linux/s390x");
  }, 30_000);

  test("the platforms of a name are one image in the list", async () => {
    const shown = await engine.must(client, "images", "--format", "{{.Repository}}:{{.Tag}}");
    expect(shown.split("\n").filter((name) => name === app)).toHaveLength(1);
    expect(shown).not.toContain("<none>");
    expect(await engine.must(client, "images", "-q", "--filter", "dangling=true")).toBe("");
    const all = await engine.must(client, "images", "--all", "--format", "{{.Repository}}:{{.Tag}}");
    expect(all.split("\n").filter((name) => name === app)).toHaveLength(2);
  });

  test("rmi removes one platform, and the name stays for the other", async () => {
    await using other = await TestEngine.start({ name: `image-platform-rmi-${client}` });
    for (const wanted of ["amd64", "arm64"]) {
      await other.must(client, "pull", "--platform", `linux/${wanted}`, app);
    }
    const idOf = (wanted: string) =>
      other.must(client, "image", "inspect", "--platform", `linux/${wanted}`, "-f", "{{.Id}}", app);
    const [amd64, arm64] = [await idOf("amd64"), await idOf("arm64")];
    expect(await other.must(client, "image", "prune", "--force")).not.toContain("deleted");
    const missing = await other[client](["rmi", "--platform", "linux/s390x", app]);
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      expect.stringContaining("does not provide the specified platform (linux/s390x)"),
    ]);
    await other.must(client, "create", "--name", "user", "--platform", "linux/arm64", app);
    const used = await other[client](["rmi", "--platform", "linux/amd64,linux/arm64", app]);
    expect(used.stderr).toContain("conflict: unable to remove repository reference");
    const removed = await other.must(client, "rmi", "--platform", "linux/amd64", app);
    expect(removed).toContain(`Deleted: ${amd64}`);
    expect(removed).not.toContain("Untagged");
    await other.kill("SIGTERM");
    await other.boot();
    expect(await other.must(client, "image", "inspect", "-f", "{{.Id}} {{.RepoTags}}", app)).toBe(
      `${arm64} [${app}]`,
    );
    await other.must(client, "rm", "user");
    expect(await other.must(client, "rmi", "--platform", "linux/arm64", app)).toContain(`Untagged: ${app}`);
    expect(await other.must(client, "images", "--all", "-q")).toBe("");
    expect((await other.gantry(["fsck"])).exitCode).toBe(0);
  }, 30_000);

  test("images --tree shows what is here of each name", async () => {
    await using other = await TestEngine.start({ name: `image-tree-${client}` });
    await other.must(client, "pull", "--platform", "linux/amd64", app);
    const tree = await other.must(client, "images", "--tree");
    expect(tree).toContain(app);
    expect(tree).toMatch(/├─ linux\/amd64/);
    expect(tree).toMatch(/└─ linux\/arm64/);
    await other.must(client, "create", "--platform", "linux/amd64", app);
    if (client === "gantry") {
      expect(await other.must(client, "images", "--tree")).toMatch(/^├─ linux\/amd64 .* yes$/m);
      expect(tree).toMatch(/└─ linux\/arm64 .*not here$/m);
    }
  }, 30_000);
});

test.each(clients)("%s pushes an index of which all platforms are here as it is", async (client) => {
  const target = `${registry.host}/whole/${client}:1`;
  await engine.must(client, "tag", app, target);
  expect(await engine.must(client, "push", target)).toContain(`1: digest: ${pushed.digest}`);
  for (const wanted of ["amd64", "arm64"] as const) {
    const bytes = await mustRun([
      ...["skopeo", "inspect", "--tls-verify=false", "--override-arch", wanted, "--config"],
      `docker://${target}`,
    ]);
    expect(JSON.parse(bytes).architecture).toBe(wanted);
  }
});

test("pushing a part of an index tells the client which part it was", async () => {
  await using other = await TestEngine.start({ name: "image-platforms-part" });
  await other.must("docker", "pull", "--platform", "linux/arm64", app);
  const { stdout, stderr } = await other.docker(["push", app]);
  expect(stdout + stderr).toContain(pushed.manifests.arm64);
  expect(stdout + stderr).toContain(pushed.digest);
  // The registry has the index again for the tests after this one.
  pushed = await pushMultiPlatform(registry, "app:latest");
});

test("manifests=1 lists the manifests of a name with what is stored of them", async () => {
  const images = await engine.json("GET", "/v1.51/images/json?manifests=1");
  const image = images.find((each: { RepoTags: string[] }) => each.RepoTags.includes(app));
  const inspected = await engine.json("GET", `/v1.51/images/${app}/json?manifests=1`);
  expect(image.Manifests).toEqual(inspected.Manifests);
  expect(image.Descriptor.digest).toBe(pushed.digest);
  expect(image.Manifests).toMatchObject([
    { ID: pushed.manifests.amd64, Available: true, Kind: "image" },
    { ID: pushed.manifests.arm64, Available: true, Kind: "image" },
  ]);
  const [amd64] = image.Manifests;
  expect(amd64.Size.Total).toBe(amd64.Size.Content + amd64.ImageData.Size.Unpacked);
  expect(amd64.ImageData.Platform).toEqual({ os: "linux", architecture: "amd64" });
  const both = await engine.fetch(
    "GET",
    `/v1.51/images/${app}/json?manifests=1&platform={"os":"linux","architecture":"amd64"}`,
  );
  expect(both.status).toBe(400);
  expect(await both.json()).toMatchObject({
    message: "conflicting options: manifests and platform options cannot both be set",
  });
});

test("a registry tells of an image that is not pulled", async () => {
  const both = await engine.json("GET", `/distribution/${app}/json`);
  expect(both).toMatchObject({
    Descriptor: { digest: pushed.digest, mediaType: "application/vnd.oci.image.index.v1+json" },
    Platforms: [
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
    ],
  });
  const one = await engine.json("GET", `/distribution/${registry.host}/app:arm64/json`);
  expect(one).toMatchObject({
    Descriptor: { digest: pushed.manifests.arm64 },
    Platforms: [{ os: "linux", architecture: "arm64" }],
  });
  const missing = await engine.fetch("GET", `/distribution/${registry.host}/app:missing/json`);
  expect(missing.status).toBe(404);
});

test("image explain lists the platforms, and takes the one that is asked for apart", async () => {
  const text = await engine.must("gantry", "image", "explain", "--platform", "linux/amd64", app);
  expect(text).toMatch(/^ +linux\/amd64 {2}[0-9a-f]{12} {2}this one$/m);
  expect(text).toMatch(/^ +linux\/arm64 {2}[0-9a-f]{12} {2}here$/m);
});
