import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { type ImageConfigFile, mediaTypes } from "../../formats/oci-image.ts";
import { type ImageToMake, planImage } from "./plan-image.ts";

const [base, top] = [digestOf("base"), digestOf("top")];
const blob = (mediaType: string, text: string) => ({ mediaType, digest: digestOf(text), size: text.length });
const layer = { diffId: top, descriptor: blob(mediaTypes.ociLayerGzip, "top blob") };
const parentConfig: ImageConfigFile = {
  architecture: "arm64",
  os: "linux",
  variant: "v8",
  created: "2020-01-01T00:00:00Z",
  author: "them",
  config: { Cmd: ["old"] },
  rootfs: { type: "layers", diff_ids: [base] },
  history: [{ created_by: "made" }, { created_by: "named", empty_layer: true }],
};
const wanted: ImageToMake = {
  parent: { config: parentConfig, layers: [blob(mediaTypes.dockerLayerGzip, "base blob")] },
  layer,
  platform: parentConfig,
  config: { Cmd: ["new"] },
  history: { created: "2026-01-02T03:04:05Z", author: "me", created_by: "sh", comment: "why" },
};

test("a layer, a line of history and a configuration of its own on what the parent has", () => {
  expect(planImage(wanted)).toEqual({
    config: {
      created: "2026-01-02T03:04:05Z",
      author: "me",
      architecture: "arm64",
      os: "linux",
      variant: "v8",
      config: { Cmd: ["new"] },
      rootfs: { type: "layers", diff_ids: [base, top] },
      history: [...parentConfig.history, wanted.history],
    },
    layers: [blob(mediaTypes.ociLayerGzip, "base blob"), layer.descriptor],
  });
});

test("without a layer the line says so", () => {
  const { config, layers } = planImage({ ...wanted, layer: undefined });
  expect(config.rootfs.diff_ids).toEqual([base]);
  expect(config.history.at(-1)).toEqual({ ...wanted.history, empty_layer: true });
  expect(layers).toHaveLength(1);
});

test("layers that the parent's history does not tell of get lines, so that ours means ours", () => {
  const parent = { config: { ...parentConfig, history: [] }, layers: wanted.parent?.layers ?? [] };
  expect(planImage({ ...wanted, parent }).config.history).toEqual([{}, wanted.history]);
});

test("without a parent the platform is the one that is asked for", () => {
  const platform = { os: "linux", architecture: "riscv64" };
  const { config, layers } = planImage({ ...wanted, parent: undefined, platform });
  expect(config).toMatchObject({ ...platform, rootfs: { diff_ids: [top] }, history: [wanted.history] });
  expect(layers).toEqual([layer.descriptor]);
});
