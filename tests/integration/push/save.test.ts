import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";

const machine = useMachine("save", ["busybox", "debian"]);
let directory: string;
beforeAll(() => {
  directory = scratchDirectory("save-files");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.each(clients)("save, with %s", (client) => {
  const path = (name: string) => join(directory, `${client}-${name}`);
  const idOf = (engine: TestEngine, name: string) => engine.must(client, "inspect", "-f", "{{.Id}}", name);

  test("another engine that loads it has the same images under the same names", async () => {
    const { engine } = machine;
    await engine.must(client, "save", "-o", path("two.tar"), "busybox:latest", "debian");
    await using other = await TestEngine.start({ name: `save-other-${client}` });
    await other.must(client, "load", "-i", path("two.tar"));
    for (const name of ["busybox", "debian"]) {
      expect(await idOf(other, name)).toBe(await idOf(engine, name));
    }
    expect(await other.must(client, "run", "--rm", "busybox", "echo", "hi")).toBe("hi");
  }, 60_000);

  test("twice the same bytes, also through a pipe", async () => {
    const { engine } = machine;
    await engine.must(client, "save", "-o", path("a.tar"), "busybox");
    const { gantryPath } = await import("../../fixtures/places.ts");
    await mustRun(["sh", "-c", `'${gantryPath}' -H '${engine.host}' save busybox > '${path("b.tar")}'`]);
    expect(sha256(readFileSync(path("a.tar")))).toBe(sha256(readFileSync(path("b.tar"))));
  });

  test("skopeo reads both layouts, umoci the OCI one", async () => {
    const { engine, registry } = machine;
    await engine.must(client, "save", "-o", path("debian.tar"), "debian");
    const id = await idOf(engine, "debian");
    const asDocker = JSON.parse(
      await mustRun(["skopeo", "inspect", "--raw", `docker-archive:${path("debian.tar")}`]),
    );
    expect(asDocker.config.digest).toBe(id);
    const tree = path("layout");
    mkdirSync(tree);
    await mustRun(["tar", "-xf", path("debian.tar"), "-C", tree]);
    const asOci = JSON.parse(await mustRun(["skopeo", "inspect", `oci:${tree}:latest`]));
    const remote = JSON.parse(
      await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${registry.host}/debian:bookworm`]),
    );
    expect(asOci.Digest).toBe(remote.Digest);
    await mustRun(["umoci", "unpack", "--image", `${tree}:latest`, path("bundle")]);
    expect(readFileSync(join(path("bundle"), "rootfs/etc/debian_version"), "utf8")).not.toBe("");
  }, 60_000);

  test("by id it has no name; a missing image leaves no file", async () => {
    const { engine } = machine;
    const id = await idOf(engine, "busybox");
    await engine.must(client, "save", "-o", path("id.tar"), id);
    const manifest = JSON.parse(await mustRun(["tar", "-xOf", path("id.tar"), "manifest.json"]));
    expect(manifest[0].RepoTags).toBeNull();
    const { exitCode, stderr } = await engine[client](["save", "-o", path("none.tar"), "busybox", "nothing"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("No such image: nothing:latest");
    expect(readdirSync(directory).filter((name) => name.includes("none.tar"))).toEqual([]);
  });
});
