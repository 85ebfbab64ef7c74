import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRegistry, registryMarker } from "./registry.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-test-registry-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(scratch, "root-"));

test("a directory whose claiming was cut off is claimed again", async () => {
  const root = fresh();
  writeFileSync(join(root, `${registryMarker}.new`), '{ "vers');
  await openRegistry(root);
  expect(existsSync(join(root, `${registryMarker}.new`))).toBe(false);
  await openRegistry(root);
});

test("a directory of something else, or of an engine, is left alone", async () => {
  const [other, engine] = [fresh(), fresh()];
  writeFileSync(join(other, "precious"), "x");
  expect(openRegistry(other)).rejects.toThrow("is not a registry's directory: it holds precious");
  writeFileSync(join(engine, registryMarker), '{"version":1,"content":"engine"}');
  expect(openRegistry(engine)).rejects.toThrow("belongs to an engine");
});

test("a marker that cannot be read is named", async () => {
  const root = fresh();
  writeFileSync(join(root, registryMarker), "");
  expect(openRegistry(root)).rejects.toThrow(`${join(root, registryMarker)} is not valid JSON`);
});
