import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { formatLayerSidecar, type LayerSidecar, parseLayerSidecar } from "./layer-sidecar.ts";

const sidecar: LayerSidecar = {
  chainId: digestOf("chain"),
  diffId: digestOf("diff"),
  parent: digestOf("parent"),
  sizeBytes: 42,
  opaqueRoot: false,
  unsyncedBoot: "a-boot",
};

test("a sidecar is read as it was written", () => {
  expect(parseLayerSidecar(formatLayerSidecar(sidecar))).toEqual(sidecar);
  const base = { ...sidecar, parent: undefined, unsyncedBoot: undefined };
  expect(parseLayerSidecar(formatLayerSidecar(base))).toEqual(base);
});

test.each([
  ["nothing", ""],
  ["half of it", formatLayerSidecar(sidecar).slice(0, 100)],
  ["a list", "[]"],
  ["another version", formatLayerSidecar(sidecar).replace('"version": 1', '"version": 2')],
  ["a broken chain id", formatLayerSidecar(sidecar).replace(sidecar.chainId, "sha256:12")],
  ["a broken parent", formatLayerSidecar(sidecar).replace(String(sidecar.parent), "none")],
  ["a size that is text", formatLayerSidecar(sidecar).replace("42", '"42"')],
])("%s is no sidecar", (_, text) => {
  expect(parseLayerSidecar(text)).toBeUndefined();
});
