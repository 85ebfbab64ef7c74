import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../../formats/digest.ts";
import { openRegistry } from "../registry.ts";
import type { RegistryRequest } from "../reply.ts";
import { deleteBlob } from "./delete-blob.ts";

test("a blob stays as long as a manifest that may name it is checked", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-delete-"));
  const registry = await openRegistry(root);
  const { repositories, content } = registry;
  const digest = digestOf("blob");
  await repositories.addBlob("a", digest, async () => void (await content.put(Buffer.from("blob"))));
  const checked = Promise.withResolvers<void>();
  const push = repositories.exclusively("a", () => checked.promise);
  const target = { path: `/v2/a/blobs/${digest}`, repository: "a", reference: digest };
  const deleted = deleteBlob({} as RegistryRequest, target, registry);
  await Bun.sleep(20);
  expect(repositories.hasBlob("a", digest)).toBe(true);
  checked.resolve();
  await push;
  expect((await deleted).status).toBe(202);
  expect(repositories.hasBlob("a", digest)).toBe(false);
  rmSync(root, { recursive: true });
});
