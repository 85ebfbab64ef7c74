import { expect, test } from "bun:test";
import { type Digest, digestOf } from "../../../formats/digest.ts";
import { type CollectionRules, planRepositoryCollection } from "./plan-repository-collection.ts";

const names = [
  "index",
  "member",
  "image",
  "signature",
  "orphan-signature",
  "config",
  "layer",
  "loose",
  "fresh",
];
const digests = new Map(names.map((name) => [name, digestOf(name)]));
const digest = (name: string) => digests.get(name) as Digest;
const manifest = (usedAtMs: number, needs: string[], subject?: string) => ({
  usedAtMs,
  needs: needs.map(digest),
  subject: subject === undefined ? undefined : digest(subject),
});

const contents = {
  manifests: new Map([
    [digest("index"), manifest(0, ["member"])],
    [digest("member"), manifest(0, ["config", "layer"])],
    [digest("image"), manifest(0, ["config"])],
    [digest("signature"), manifest(0, ["config"], "index")],
    [digest("orphan-signature"), manifest(0, ["loose"], "image")],
  ]),
  blobs: new Map([
    [digest("config"), 0],
    [digest("layer"), 0],
    [digest("loose"), 0],
    [digest("fresh"), 100],
  ]),
  tagged: new Set([digest("index")]),
};

function plan(rules: Partial<CollectionRules>, given = contents): string[] {
  const found = planRepositoryCollection(given, { unusedSinceMs: 50, what: "unneeded", ...rules });
  return found.map((link) => names.find((name) => digest(name) === link.digest) ?? "?").sort();
}

test("blobs that no manifest names go, tagged or not, unless they are fresh", () => {
  expect(plan({})).toEqual([]);
  const blobs = new Map([...contents.blobs, [digest("image"), 0], [digestOf("x"), 0]]);
  expect(plan({}, { ...contents, blobs })).toEqual(["?"]);
  expect(plan({ unusedSinceMs: 100 }, { ...contents, manifests: new Map() })).toEqual([
    ...["config", "fresh", "layer", "loose"],
  ]);
});

test("untagged manifests go with what they alone need; members and signatures of tagged ones stay", () => {
  expect(plan({ what: "untagged" })).toEqual(["image", "loose", "orphan-signature"]);
});

test("a fresh manifest keeps all that it needs", () => {
  const manifests = new Map([...contents.manifests, [digest("image"), manifest(60, ["config"])]]);
  expect(plan({ what: "untagged" }, { ...contents, manifests })).toEqual([]);
});

test("in a cache everything goes that nobody looks at, tagged or needed", () => {
  expect(plan({ what: "unused" })).toEqual(names.filter((name) => name !== "fresh").sort());
});

test("a subject that refers back makes no endless loop", () => {
  const manifests = new Map([
    [digest("index"), manifest(0, ["image"], "image")],
    [digest("image"), manifest(0, ["index"], "index")],
  ]);
  const given = { manifests, blobs: new Map(), tagged: new Set<Digest>() };
  expect(plan({ what: "untagged" }, given)).toEqual(["image", "index"]);
  expect(plan({ what: "untagged" }, { ...given, tagged: new Set([digest("image")]) })).toEqual([]);
});
