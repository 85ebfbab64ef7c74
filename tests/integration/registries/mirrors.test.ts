import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { packTar } from "../../../scripts/image-archive.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { HttpProxy } from "../../fixtures/http-proxy.ts";
import { busyboxArchiveFile, busyboxFiles, push } from "../../fixtures/images.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

describe("a mirror of Docker Hub", () => {
  let mirror: TestRegistry;
  let proxy: HttpProxy;
  let engine: TestEngine;
  beforeAll(async () => {
    mirror = await TestRegistry.start();
    await push(`docker-archive:${await busyboxArchiveFile()}`, mirror, "library/busybox:latest");
    proxy = await HttpProxy.start({ "plain.test": Number(mirror.host.split(":")[1]) }, "u:p");
    engine = await TestEngine.start({
      name: "hub-mirror",
      args: [
        "--registry-mirror=http://127.0.0.1:1",
        `--registry-mirror=http://${mirror.host}`,
        "--insecure-registry=plain.test",
        "--insecure-registry=198.51.100.0/24",
      ],
      // An engine that obeyed these for its mirrors would reach nobody: loopback is exempt, as for Go's programs.
      env: { HTTP_PROXY: `http://u:p@${proxy.host}`, HTTPS_PROXY: `http://u:p@${proxy.host}`, NO_PROXY: "" },
    });
  }, 60_000);
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await mirror?.[Symbol.asyncDispose]();
  }, 30_000);

  test.each(clients)("gives %s its images, although another mirror is down", async (client) => {
    expect(await engine.must(client, "pull", "busybox")).toContain(
      "Status: Downloaded newer image for busybox:latest",
    );
    expect(await engine.must(client, "run", "--rm", "busybox", "echo", "hi")).toBe("hi");
    await engine.must(client, "rmi", "busybox");
  });

  test("that lacks an image is followed by the registry, whose error tells of the one that is down", async () => {
    const { stderr } = await engine.gantry(["pull", "nothing/here"]);
    expect(stderr).toContain("registry-1.docker.io");
    expect(stderr).toContain("mirrors failed before (http://127.0.0.1:1/: ");
  });

  test("an insecure registry is spoken to without TLS, through the proxy of the environment", async () => {
    await engine.must("gantry", "pull", "plain.test/library/busybox");
    expect(proxy.requests.some((line) => line.startsWith("GET http://plain.test/v2/"))).toBe(true);
    expect((await engine.gantry(["pull", "other.test/library/busybox"])).exitCode).toBe(1);
    expect(proxy.requests.some((line) => line.includes("http://other.test"))).toBe(false);
  });

  test("is shown by info, with the insecure registries", async () => {
    const { RegistryConfig, HttpProxy } = await engine.json("GET", "/info");
    const mirrors = ["http://127.0.0.1:1/", `http://${mirror.host}/`];
    expect(RegistryConfig.Mirrors).toEqual(mirrors);
    expect(RegistryConfig.IndexConfigs["docker.io"].Mirrors).toEqual(mirrors);
    expect(RegistryConfig.IndexConfigs["plain.test"].Secure).toBe(false);
    expect(HttpProxy).toBe(`http://xxxxx:xxxxx@${proxy.host}`);
    const shown = await engine.must("docker", "info");
    expect(shown).toContain(` Registry Mirrors:\n  ${mirrors.join("\n  ")}\n`);
    expect(shown).toMatch(/Insecure Registries:\n(.*\n)*? {2}198\.51\.100\.0\/24/);
    expect(await engine.must("gantry", "info")).toContain(` Registry Mirrors:\n  ${mirrors.join("\n  ")}\n`);
  });
});

test.each(["wrong-bytes", "cut", "unavailable"] as const)(
  "a mirror with the fault %s never breaks a pull",
  async (fault) => {
    const layers = [packTar(await busyboxFiles())];
    await using own = await FaultyRegistry.start("none", layers);
    await using mirror = await FaultyRegistry.start(fault, layers);
    await using engine = await TestEngine.start({
      name: "faulty-mirror",
      args: [`--registry-mirror=${own.host}=http://${mirror.host}`],
    });
    await engine.must("gantry", "pull", own.reference);
    expect(await engine.must("gantry", "run", "--rm", own.reference, "echo", "hi")).toBe("hi");
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(own.requests.some((request) => request.includes("/blobs/"))).toBe(true);
  },
  30_000,
);
