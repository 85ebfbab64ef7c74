import { describe, expect, test } from "bun:test";
import { chainIds } from "../../formats/chain-id.ts";
import { digestHex, digestOf } from "../../formats/digest.ts";
import { type Descriptor, type ImageConfigFile, mediaTypes } from "../../formats/oci-image.ts";
import type { Digest } from "../content/contract.ts";
import { describeProblem } from "./describe-problem.ts";
import { findProblems } from "./find-problems.ts";
import { planLosses, planRepairs, registriesFor } from "./plan-repairs.ts";
import type { EngineMemory, Survey, SurveyedBlob, SurveyedDocument, SurveyedLayer } from "./survey.ts";

const reference = "registry.test/app:1";
const descriptor = (text: string, mediaType: string): Descriptor => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
});
const layers = ["one", "two", "three"].map((text) => descriptor(text, mediaTypes.ociLayer));
const diffIds = layers.map(({ digest }) => digest);
const chain = chainIds(diffIds);
const config = descriptor("config", mediaTypes.ociConfig);
const manifest = descriptor("manifest", mediaTypes.ociManifest);
const id = config.digest;

const configFile: ImageConfigFile = {
  architecture: "amd64",
  os: "linux",
  config: {},
  rootfs: { type: "layers", diff_ids: diffIds },
  history: [],
};

interface Changes {
  readonly without?: readonly (Digest | undefined)[];
  readonly corrupt?: Digest;
  readonly memory?: EngineMemory;
  readonly unrecorded?: true;
}

/** One whole image of three layers, changed. */
function survey({ without = [], corrupt, memory, unrecorded }: Changes = {}): Survey {
  const blobs = [manifest, config, ...layers].map(({ digest, size }): [Digest, SurveyedBlob] => [
    digest,
    { path: `/blobs/${digest}`, sizeBytes: size, actual: digest === corrupt ? digestOf("other") : digest },
  ]);
  const unpacked = chain.map((chainId, index): [Digest, SurveyedLayer] => {
    const sidecar = {
      chainId,
      diffId: diffIds[index] ?? id,
      parent: chain[index - 1],
      sizeBytes: 1,
      opaqueRoot: false,
      unsyncedBoot: undefined,
    };
    return [chainId, { path: `/layers/${chainId}`, sidecar, differences: [] }];
  });
  const isThere = ([key]: readonly [string, unknown]) => !without.some((digest) => digest === key);
  const described: [Digest, SurveyedDocument][] = [
    [manifest.digest, { kind: "manifest", manifest: { mediaType: manifest.mediaType, config, layers } }],
    [id, { kind: "config", config: configFile }],
  ];
  const documents = described.filter((entry) => isThere(entry) && entry[0] !== corrupt);
  const time = "2026-01-01T00:00:00Z";
  return {
    root: "/root",
    // A layer's digest is also its chain id where it is the base: blobs and layers are taken out apart.
    blobs: new Map(blobs.filter(isThere)),
    documents: new Map(documents),
    images: unrecorded ? [] : [{ id, manifest, addedAt: time }],
    references: [{ reference, image: id, target: manifest, manifest, createdAt: time }],
    layers: new Map(unpacked.filter(([key]) => key === chain[0] || isThere([key, undefined]))),
    containers: [],
    tops: new Map(),
    leasedTops: new Set(),
    repositories: [],
    broken: [],
    strangers: [],
    memory,
  };
}

const kindsOf = (changes: Changes) => findProblems(survey(changes)).map(({ kind }) => kind);
const repairsOf = (changes: Changes) => planRepairs(survey(changes), findProblems(survey(changes)));
const memory = (changes: Partial<EngineMemory> = {}): EngineMemory => ({
  images: new Set([id]),
  names: new Set([reference]),
  layers: new Set(chain),
  isHeld: () => false,
  ...changes,
});

describe("problems", () => {
  test.each<[string, Changes, string[]]>([
    ["a whole image", {}, []],
    ["a whole image in an engine", { memory: memory() }, []],
    ["wrong bytes", { corrupt: layers[1]?.digest ?? id }, ["blob-corrupt"]],
    ["a wrong config", { corrupt: id }, ["blob-corrupt"]],
    ["no manifest", { without: [manifest.digest] }, ["blob-missing"]],
    ["no blob of a layer", { without: [layers[2]?.digest] }, ["blob-missing"]],
    ["no layer on top", { without: [chain[2]] }, ["layer-missing"]],
    ["no layer in the middle", { without: [chain[1]] }, ["layer-parent-missing", "layer-missing"]],
    ["no sidecar of the image", { unrecorded: true }, ["image-unrecorded"]],
    ["an engine that left the image out", { memory: memory({ images: new Set() }) }, ["image-unknown"]],
    ["an engine that lost a name", { memory: memory({ names: new Set() }) }, ["image-unknown"]],
    [
      "a pull that is under way",
      { without: [manifest.digest, chain[2]], memory: memory({ images: new Set(), isHeld: () => true }) },
      [],
    ],
  ])("%s", (_name, changes, kinds) => {
    expect(kindsOf(changes)).toEqual(kinds as typeof kinds & ReturnType<typeof kindsOf>);
  });

  test("each is told with place, reason, meaning and remedy", () => {
    for (const changes of [{ corrupt: id }, { without: [chain[1], manifest.digest] }, { unrecorded: true }]) {
      for (const problem of findProblems(survey(changes as Changes))) {
        const finding = describeProblem(problem);
        for (const text of [finding.what, finding.where, finding.why, finding.meaning, finding.remedy])
          expect(text).not.toBe("");
      }
    }
  });
});

describe("repairs", () => {
  test("wrong bytes go aside first; the next look finds them missing", () => {
    expect(repairsOf({ corrupt: manifest.digest }).map(({ op }) => op)).toEqual(["aside"]);
  });

  test("a missing blob is fetched by the names of its image", () => {
    expect(repairsOf({ without: [manifest.digest] })).toEqual([
      { op: "fetch", descriptor: manifest, role: "manifest", references: [reference] },
    ]);
  });

  test("layers that hang in the air go aside, and are unpacked base first", () => {
    const [aside, unpack] = repairsOf({ without: [chain[1]] });
    expect(aside).toEqual({ op: "aside", path: `/layers/${chain[2]}` });
    expect(unpack).toMatchObject({ op: "unpack", layers: [{ chainId: chain[1], parent: chain[0] }] });
  });

  test("a layer without a blob waits for it", () => {
    const lost = { without: [chain[2], layers[2]?.digest] };
    expect(repairsOf(lost).map(({ op }) => op)).toEqual(["fetch"]);
  });

  test("nothing is unpacked or moved behind the back of an engine that uses it", () => {
    expect(repairsOf({ without: [chain[1]], memory: memory() })).toEqual([]);
  });

  test("an image is registered with its names once it is whole", () => {
    const names = [{ reference, target: manifest }];
    expect(repairsOf({ unrecorded: true })).toEqual([{ op: "register", image: reference, manifest, names }]);
    const ops = repairsOf({ unrecorded: true, without: [id] }).map(({ op }) => op);
    expect(ops).toEqual(["fetch"]);
  });
});

test("what is left of an image that is lost are its sidecars", () => {
  const state = survey({ without: [id] });
  expect(planLosses(state, findProblems(state))).toEqual([
    {
      name: `image ${reference}`,
      paths: [
        `/root/images/ids/${digestHex(id)}.json`,
        `/root/images/references/${digestHex(digestOf(reference))}.json`,
      ],
    },
  ]);
  // It still runs: a blob of an unpacked layer is not the end of it.
  const runs = survey({ without: [layers[2]?.digest] });
  expect(planLosses(runs, findProblems(runs))).toEqual([]);
});

test("the registries that could help are known before a repair", () => {
  for (const changes of [{ corrupt: layers[0]?.digest ?? id }, { without: [id] }]) {
    const state = survey(changes);
    expect(registriesFor(state, findProblems(state))).toEqual(["registry.test"]);
  }
  expect(registriesFor(survey(), [])).toEqual([]);
});
