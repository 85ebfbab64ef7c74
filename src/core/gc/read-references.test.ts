import { expect, test } from "bun:test";
import { chainIds } from "../../formats/chain-id.ts";
import { digestOf } from "../../formats/digest.ts";
import { documentReferences } from "./read-references.ts";

const [a, b, c] = ["a", "b", "c"].map((text) => digestOf(text));
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const names = (value: unknown) => documentReferences(bytes(value)).map(({ kind, name }) => `${kind} ${name}`);

test("an index refers to its manifests, a manifest to config and layers, a config to its chain", () => {
  expect(names({ manifests: [{ digest: a }, { digest: b }] })).toEqual([`blob ${a}`, `blob ${b}`]);
  expect(names({ config: { digest: a }, layers: [{ digest: b }], subject: { digest: c } })).toEqual([
    `blob ${a}`,
    `blob ${b}`,
  ]);
  const [base, top] = chainIds([digestOf("a"), digestOf("b")]);
  expect(names({ config: { Cmd: ["sh"] }, rootfs: { diff_ids: [a, b] } })).toEqual([
    `layer ${base}`,
    `layer ${top}`,
  ]);
});

test.each([
  [null],
  ["text"],
  [[]],
  [{ manifests: "no", config: [], layers: [null, 3, { digest: "sha256:short" }], rootfs: { diff_ids: {} } }],
])("%j refers to nothing", (value) => {
  expect(names(value)).toEqual([]);
});

test("a layer's bytes refer to nothing, also if they begin like a document", () => {
  expect(documentReferences(new Uint8Array([0x1f, 0x8b, 0]))).toEqual([]);
  expect(documentReferences(new TextEncoder().encode("{ broken"))).toEqual([]);
});
