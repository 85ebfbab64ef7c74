import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { mustRun } from "../../fixtures/command.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive, busyboxArchiveFile, push } from "../../fixtures/images.ts";
import { type MultiPlatform, pushMultiPlatform } from "../../fixtures/multi-platform.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

let engine: TestEngine;
let registry: TestRegistry;
let other: TestRegistry;
let pushed: MultiPlatform;
beforeAll(async () => {
  registry = await TestRegistry.start();
  other = await TestRegistry.start();
  engine = await TestEngine.start({ name: "manifest" });
  pushed = await pushMultiPlatform(registry, "app:latest");
}, 60_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const manifest = (...args: string[]) => engine.must("gantry", "manifest", ...args);
const refused = async (...args: string[]) => {
  const { exitCode, stderr } = await engine.gantry(["manifest", ...args]);
  expect(exitCode).toBe(1);
  return stderr;
};
const raw = (reference: string) =>
  mustRun(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${reference}`]);
const platformsOf = (index: string) =>
  JSON.parse(index).manifests.map(({ platform }: { platform: object }) => platform);

/** What podman pulls for an architecture. */
async function podmanArchitecture(reference: string, architecture: string): Promise<string> {
  const directory = scratchDirectory("mp"); // podman takes no run root longer than 50 characters
  const podman = ["podman", "--root", `${directory}/root`, "--runroot", `${directory}/run`];
  podman.push("--storage-driver", "vfs");
  try {
    const args = ["pull", "-q", "--tls-verify=false", "--arch", architecture, reference];
    const id = (await mustRun([...podman, ...args])).trim();
    return (await mustRun([...podman, "image", "inspect", "-f", "{{.Architecture}}", id])).trim();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("create, annotate, inspect and push a list; skopeo, podman and Docker's client read it", async () => {
  const app = `${registry.host}/app`;
  const list = `${app}:multi`;
  expect(await manifest("create", "--insecure", list, `${app}:amd64`, `${app}:arm64`)).toBe(
    `Created manifest list ${list}`,
  );
  await manifest("annotate", "--variant", "v8", "--os-version", "6", list, `${app}:arm64`);
  const platforms = [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64", variant: "v8", "os.version": "6" },
  ];
  expect(platformsOf(await manifest("inspect", list))).toEqual(platforms);
  const digest = await manifest("push", list);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);

  const bytes = await raw(list);
  expect(`sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`).toBe(digest);
  expect(platformsOf(bytes)).toEqual(platforms);
  expect(await podmanArchitecture(list, "amd64")).toBe("amd64");
  const client = await engine.must("docker", "manifest", "inspect", "--insecure", list);
  expect(platformsOf(client)).toEqual(platforms);

  const verbose = JSON.parse(await manifest("inspect", "-v", `${app}:latest`));
  expect(verbose.map(({ Ref }: { Ref: string }) => Ref)).toEqual(
    Object.values(pushed.manifests).map((each) => `${app}@${each}`),
  );
  const docker = await engine.must("docker", "manifest", "inspect", "-v", "--insecure", `${app}:arm64`);
  const ours = JSON.parse(await manifest("inspect", "-v", `${app}:arm64`));
  const theirs = JSON.parse(docker);
  expect(ours.Descriptor.digest).toBe(theirs.Descriptor.digest);
  expect(ours.Descriptor.platform).toMatchObject({ os: "linux", architecture: "arm64" });
  expect(Buffer.from(ours.Raw, "base64").toString()).toBe(Buffer.from(theirs.Raw, "base64").toString());
  expect(ours.OCIManifest).toEqual(theirs.OCIManifest);
}, 30_000);

test("what another repository or another registry has is brought along", async () => {
  const app = `${registry.host}/app`;
  for (const target of [`${registry.host}/elsewhere/app:1`, `${other.host}/app:1`]) {
    await manifest("create", target, `${app}:amd64`, `${app}@${pushed.manifests.arm64}`);
    const repository = target.slice(0, target.lastIndexOf(":"));
    const lines = (await manifest("push", "--purge", target)).split("\n");
    expect(lines.slice(0, 2)).toEqual(
      Object.values(pushed.manifests).map((each) => `Pushed ref ${repository}@${each} with digest: ${each}`),
    );
    expect(await refused("push", target)).toContain(`no such manifest: ${target}`); // purged
    for (const architecture of ["amd64", "arm64"]) {
      await engine.must("gantry", "pull", "--platform", `linux/${architecture}`, target);
      const shown = await engine.must(
        "gantry",
        ...["image", "inspect", "--platform", `linux/${architecture}`],
        ...["-f", "{{.Architecture}}", target],
      );
      expect(shown).toBe(architecture);
    }
  }
}, 30_000);

test("an image that is only on this machine goes up with the list", async () => {
  const local = `${other.host}/never-pushed:1`;
  await engine.load(await busyboxArchive(local));
  const list = `${other.host}/tools:1`;
  const created = await engine.gantry(["manifest", "create", list, local, `${registry.host}/app:arm64`]);
  expect(created.stderr).toBe(
    `${local} is taken from this machine: push the list to bring it to the registry\n`,
  );
  await manifest("annotate", "--annotation", "org.example.kind=tools", list);
  await manifest("push", list);
  expect(JSON.parse(await raw(list)).annotations).toEqual({ "org.example.kind": "tools" });
  await using second = await TestEngine.start({ name: "manifest-second" });
  await second.must("docker", "pull", list);
  expect(await second.must("docker", "run", "--rm", list, "echo", "hi")).toBe("hi");
}, 30_000);

test("a list of Docker's manifests is Docker's list", async () => {
  const target = `${other.host}/schema2:one`;
  await push(`docker-archive:${await busyboxArchiveFile()}`, other, "schema2:one", { format: "v2s2" });
  const list = `${other.host}/schema2:list`;
  await manifest("create", list, target);
  await manifest("push", list);
  expect(JSON.parse(await raw(list))).toMatchObject({
    mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifests: [{ mediaType: "application/vnd.docker.distribution.manifest.v2+json" }],
  });
  expect(await engine.must("docker", "pull", list)).toContain("Status: Downloaded newer image");
}, 30_000);

test("lists are added to, survive a restart, and are forgotten", async () => {
  const app = `${registry.host}/app`;
  const list = `${app}:growing`;
  await manifest("create", list, `${app}:amd64`);
  expect(await refused("create", list, `${app}:arm64`)).toStartWith(
    "gantry: refusing to amend an existing manifest list with no --amend flag\n",
  );
  await engine.kill("SIGKILL");
  await engine.boot();
  await manifest("create", "--amend", list, `${app}:arm64`, `${app}:amd64`);
  expect(platformsOf(await manifest("inspect", list))).toHaveLength(2);
  expect(JSON.parse(await manifest("inspect", list, `${app}:arm64`)).layers).toHaveLength(3);
  await manifest("rm", list);
  expect(await refused("rm", list)).toStartWith(`gantry: no such manifest: ${list}\n`);
}, 30_000);

test("what cannot be is refused, and leaves nothing", async () => {
  const app = `${registry.host}/app`;
  const list = `${app}:refused`;
  expect(await refused("create", list, `${app}:amd64`, `${app}:missing`)).toContain(
    `no such manifest: ${app}:missing`,
  );
  expect(await refused("create", list, `${app}:latest`)).toContain(`${app}:latest is a manifest list`);
  expect(await refused("inspect", list)).toContain(`no such manifest: ${list}`);
  await manifest("create", list, `${app}:amd64`);
  expect(await refused("annotate", "--os", "linux", list, `${app}:arm64`)).toContain(
    `manifest for image ${app}:arm64 does not exist in ${list}`,
  );
  expect(await refused("annotate", "--os", "linux", list)).toContain("a platform belongs to a manifest");
  expect(await refused("create", "--insecure", "registry.example/a:1", `${app}:amd64`)).toContain(
    "--insecure is for registries on loopback alone, and registry.example is none",
  );
});

test("parallel changes of a list are all kept", async () => {
  const app = `${registry.host}/app`;
  const list = `${app}:parallel`;
  await manifest("create", list, `${app}:amd64`, `${app}:arm64`);
  await Promise.all([
    manifest("annotate", "--os-version", "1", list, `${app}:amd64`),
    manifest("annotate", "--os-version", "2", list, `${app}:arm64`),
    manifest("annotate", "--annotation", "a=b", list),
  ]);
  const index = await manifest("inspect", list);
  expect(platformsOf(index).map((each: Record<string, string>) => each["os.version"])).toEqual(["1", "2"]);
  expect(JSON.parse(index).annotations).toEqual({ a: "b" });
});
