import { describe, expect, test } from "bun:test";
import type { Image } from "../../core/images/contract.ts";
import { digestOf } from "../../formats/digest.ts";
import { parseTimeNs } from "../clock.ts";
import { Container } from "../containers/container.ts";
import { initialState } from "../containers/container-record.ts";
import type { ContainerStatus } from "../containers/state-machine.ts";
import { prunableContainers, prunableImages } from "./select-prunable.ts";

const nowNs = parseTimeNs("2026-06-01T12:00:00Z") ?? 0n;
const filters = (given: Record<string, string[]>) => new Map(Object.entries(given));

function container(name: string, status: ContainerStatus, createdAt: string, label?: string): Container {
  return new Container({
    version: 1,
    id: name,
    name,
    createdAt,
    config: { Image: "x", ...(label === undefined ? {} : { Labels: { stage: label } }) },
    hostConfig: {},
    imageId: digestOf("image"),
    imageConfig: { Labels: { vendor: "acme" } },
    mounts: [],
    state: { ...initialState, status },
    endpoint: undefined,
    cgroupPath: undefined,
    restartCount: 0,
  });
}

describe("of containers", () => {
  const all = [
    container("running", "running", "2026-05-01T00:00:00Z"),
    container("paused", "paused", "2026-05-01T00:00:00Z"),
    container("old", "exited", "2026-05-01T00:00:00Z", "test"),
    container("new", "exited", "2026-06-01T11:30:00Z"),
    container("created", "created", "2026-06-01T11:59:59Z", "prod"),
  ];
  test.each([
    [{}, ["old", "new", "created"]],
    [{ until: ["1h"] }, ["old"]],
    [{ until: ["2026-06-01T11:45:00Z"] }, ["old", "new"]],
    [{ until: ["1780315200"] }, ["old", "new", "created"]], // 12:00:00
    [{ label: ["stage"] }, ["old", "created"]],
    [{ label: ["stage=test"] }, ["old"]],
    [{ "label!": ["stage=test"] }, ["new", "created"]],
    [{ "label!": ["stage"] }, ["new"]],
    [{ label: ["vendor=acme"], "label!": ["stage"], until: ["10m"] }, ["new"]],
  ])("%j chooses %j", (given, names) => {
    expect(prunableContainers(all, filters(given), nowNs).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    [{ status: ["exited"] }, "invalid filter 'status'"],
    [{ until: ["yesterday"] }, "invalid timestamp"],
    [{ until: ["1h", "2h"] }, "more than one until filter specified"],
  ])("%j is refused", (given, message) => {
    expect(() => prunableContainers(all, filters(given), nowNs)).toThrow(message);
  });
});

describe("of images", () => {
  const image = (name: string, tags: string[], created?: string): Image => ({
    id: digestOf(name),
    manifest: { mediaType: "", digest: digestOf(name), size: 1 },
    config: {
      architecture: "amd64",
      os: "linux",
      config: { Labels: { name } },
      rootfs: { type: "layers", diff_ids: [] },
      history: [],
      ...(created === undefined ? {} : { created }),
    },
    chainIds: [],
    sizeBytes: 1,
    tags,
    repoDigests: [],
    lastTaggedAt: undefined,
  });
  const all = [
    image("tagged", ["docker.io/library/tagged:1"], "2026-05-01T00:00:00Z"),
    image("dangling", [], "2026-06-01T11:59:00Z"),
    image("ageless", []),
    image("used", []),
  ];
  const used = new Set([digestOf("used")]);
  test.each([
    [{}, ["dangling", "ageless"]],
    [{ dangling: ["true"] }, ["dangling", "ageless"]],
    [{ dangling: ["false"] }, ["tagged", "dangling", "ageless"]],
    [{ dangling: ["0"], until: ["1h"] }, ["tagged"]],
    [{ until: ["1s"] }, ["dangling"]],
    [{ label: ["name=ageless"] }, ["ageless"]],
    [{ "label!": ["name=ageless"] }, ["dangling"]],
  ])("%j chooses %j", (given, names) => {
    const chosen = prunableImages(all, filters(given), used, nowNs);
    expect(chosen.map(({ config }) => config.config.Labels?.name ?? "")).toEqual(names);
  });

  test("an unknown filter is refused", () => {
    expect(() => prunableImages(all, filters({ reference: ["x"] }), used, nowNs)).toThrow(
      "invalid filter 'reference'",
    );
  });
});
