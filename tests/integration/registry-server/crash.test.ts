import { expect, test } from "bun:test";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import {
  digestOf,
  type ErrorBody,
  GantryRegistry,
  makeManifest,
  manifestType,
  pushBlob,
  putManifest,
} from "./gantry-registry.ts";

const mebibyte = 1 << 20;

test("an upload outlives kill -9 and goes on where it was cut; nothing half-made has a name", async () => {
  await using registry = await GantryRegistry.start();
  const kept = await pushBlob(registry, "app", "kept");
  const content = new Uint8Array(8 * mebibyte).map((_, index) => (index * 7919) >> 5);
  const digest = digestOf(content);
  const start = await registry.fetch("/v2/app/blobs/uploads/", { method: "POST" });
  const location = start.headers.get("location") ?? "";

  // Five of eight mebibytes arrive, then the registry dies within the request.
  const [hostname = "", port = ""] = registry.host.split(":");
  const socket = connect(Number(port), hostname);
  socket.on("error", () => socket.destroy());
  socket.write(
    `PATCH ${location} HTTP/1.1\r\nHost: ${registry.host}\r\nContent-Length: ${content.length}\r\n\r\n`,
  );
  socket.write(content.subarray(0, 5 * mebibyte));
  const received = async () =>
    Number((await registry.fetch(location)).headers.get("range")?.split("-")[1]) + 1;
  await waitFor("five mebibytes", async () => (await received()) === 5 * mebibyte);
  await registry.kill();
  socket.destroy();

  await registry.boot();
  expect((await registry.fetch(`/v2/app/blobs/${digest}`)).status).toBe(404);
  expect(await (await registry.fetch(`/v2/app/blobs/${kept}`)).text()).toBe("kept");
  const offset = await received();
  expect(offset).toBe(5 * mebibyte);
  const rest = await registry.fetch(location, {
    method: "PATCH",
    body: content.subarray(offset),
    headers: { "Content-Range": `${offset}-${content.length - 1}` },
  });
  expect(rest.status).toBe(202);
  expect((await registry.fetch(`${location}?digest=${digest}`, { method: "PUT" })).status).toBe(201);
  expect(digestOf(await (await registry.fetch(`/v2/app/blobs/${digest}`)).bytes())).toBe(digest);
  expect(readdirSync(join(registry.root, "repositories/app/_uploads"))).toEqual([]);
}, 60_000);

test("content that lost its last link is gone, also when a crash kept it from being linked", async () => {
  await using registry = await GantryRegistry.start();
  const digest = await pushBlob(registry, "app", "short-lived");
  const blobs = join(registry.root, "content/blobs/sha256");
  expect(readdirSync(blobs)).toHaveLength(1);
  await registry.fetch(`/v2/app/blobs/${digest}`, { method: "DELETE" });
  expect(readdirSync(blobs)).toEqual([]);

  await registry.kill();
  await Bun.write(join(blobs, digestOf("orphan").slice("sha256:".length)), "orphan");
  await registry.boot();
  expect(readdirSync(blobs)).toEqual([]);
}, 60_000);

test("a disk that fills refuses the push by name, keeps nothing of it, and goes on", async () => {
  await using registry = await GantryRegistry.start([], "http", "root", "2m");
  const large = new Uint8Array(3 * mebibyte);
  const begin = async () =>
    (await registry.fetch("/v2/app/blobs/uploads/", { method: "POST" })).headers.get("location") ?? "";
  const attempts = [
    () => registry.fetch(`/v2/app/blobs/uploads/?digest=${digestOf(large)}`, { method: "POST", body: large }),
    async () => registry.fetch(await begin(), { method: "PATCH", body: large }),
    async () => registry.fetch(`${await begin()}?digest=${digestOf(large)}`, { method: "PUT", body: large }),
  ];
  for (const attempt of attempts) {
    const reply = await attempt();
    expect(reply.status).toBe(503);
    const { errors } = (await reply.json()) as ErrorBody;
    expect(errors).toMatchObject([{ code: "UNAVAILABLE" }]);
    expect(errors[0]?.message).toEndWith(": no space left on device");
    expect(readdirSync(join(registry.root, "repositories/app/_uploads"))).toEqual([]);
  }
  // The last bytes are taken: also the small files of a repository find no room, and an operator reads of it.
  const manifest = await makeManifest(registry, "app");
  expect((await putManifest(registry, "app", "before", manifest)).status).toBe(201);
  const filler = join(registry.root, "filler");
  expect(() => writeFileSync(filler, large)).toThrow("ENOSPC");
  const tagged = await putManifest(registry, "app", "after", manifest);
  const { errors } = (await tagged.json()) as ErrorBody;
  expect([tagged.status, errors[0]?.code]).toEqual([503, "UNAVAILABLE"]);
  expect(errors[0]?.message).toEndWith(": no space left on device");
  expect(await registry.log()).toMatch(/"registry\.unavailable".*no space left/);
  expect(await (await registry.fetch("/v2/app/tags/list")).json()).toEqual({ name: "app", tags: ["before"] });
  rmSync(filler);
  expect((await putManifest(registry, "app", "after", manifest)).status).toBe(201);
  const small = new Uint8Array(mebibyte);
  await pushBlob(registry, "app", small);
  expect((await registry.fetch(`/v2/app/blobs/${digestOf(small)}`)).status).toBe(200);
});

test("kill -9 while clients push and delete: what was answered with 201 is there, and fsck finds nothing", async () => {
  await using registry = await GantryRegistry.start();
  const acknowledged = new Map<string, string>(); // path of a tag: digest
  let isRunning = false;
  const subject = { mediaType: manifestType, digest: digestOf("subject"), size: 1 };
  const pushAndDelete = async (name: string, round: number) => {
    for (let count = 0; isRunning; count++) {
      const manifest = await makeManifest(registry, name, {
        subject,
        annotations: { at: `${round}-${count}` },
      });
      const tag = `t${round}-${count}`;
      const reply = await putManifest(registry, name, tag, manifest);
      if (reply.status === 201) acknowledged.set(`/v2/${name}/manifests/${tag}`, digestOf(manifest));
      if (count % 4 !== 3) continue;
      const [path = "", digest] =
        [...acknowledged].find(([each]) => each.startsWith(`/v2/${name}/manifests/`)) ?? [];
      acknowledged.delete(path);
      await registry.fetch(`/v2/${name}/manifests/${digest}`, { method: "DELETE" });
    }
  };
  for (let round = 0; round < 5; round++) {
    isRunning = true;
    const clients = ["one", "two", "three"].map((name) => pushAndDelete(name, round).catch(() => undefined));
    const before = acknowledged.size;
    await waitFor("a few pushes", () => acknowledged.size >= before + 5 + round);
    await registry.kill();
    isRunning = false;
    await Promise.all(clients);
    await mustRun([gantryPath, "fsck", "--root", registry.root]);
    await registry.boot();
  }
  for (const [path, digest] of acknowledged)
    expect(digestOf(await (await registry.fetch(path)).bytes())).toBe(digest);
}, 60_000);
