import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Digest, digestOf } from "../../formats/digest.ts";
import { fileNameOf } from "../content/digest-file-name.ts";
import { repositoryProblems } from "./repository-problems.ts";
import type { BrokenSidecar, Survey, SurveyedBlob } from "./survey.ts";
import { surveyRepositories } from "./survey-repositories.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gantry-repositories-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const [blob, manifest, signature] = ["blob", "manifest", "signature"].map((text) => digestOf(text)) as [
  Digest,
  Digest,
  Digest,
];

function put(path: string, text = ""): string {
  const whole = join(root, "repositories", path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}
const record = (digest: Digest, more: object = {}) => JSON.stringify({ descriptor: { digest }, ...more });

/** Two manifests, one of which names the other. */
function putWhole(name: string): void {
  put(`${name}/_blobs/${fileNameOf(blob)}`);
  put(`${name}/_manifests/${fileNameOf(manifest)}`, record(manifest));
  put(`${name}/_manifests/${fileNameOf(signature)}`, record(signature, { subject: manifest }));
  put(`${name}/_referrers/${fileNameOf(manifest)}/${fileNameOf(signature)}`);
  put(`${name}/_tags/v1`, manifest);
}

function look(present: readonly Digest[] = [blob, manifest, signature]) {
  const broken: BrokenSidecar[] = [];
  const repositories = surveyRepositories(root, (one) => broken.push(one));
  const blobs = new Map(present.map((digest) => [digest, {} as SurveyedBlob]));
  const problems = repositoryProblems({
    repositories,
    blobs,
    broken,
    memory: undefined,
  } as unknown as Survey);
  return { names: repositories.map(({ name }) => name), broken, problems };
}

test("whole repositories, also below one another, have no problem", () => {
  for (const name of ["a", "a/b", "c/d/e"]) putWhole(name);
  expect(look()).toEqual({ names: ["a", "a/b", "c/d/e"], broken: [], problems: [] });
});

test("no registry is no problem", () => {
  rmSync(root, { recursive: true });
  expect(look()).toEqual({ names: [], broken: [], problems: [] });
  mkdirSync(root);
});

test("links to what is not stored are found", () => {
  putWhole("a");
  expect(look([manifest]).problems).toMatchObject([
    { kind: "link-dangling", digest: signature, repository: "a" },
    { kind: "link-dangling", digest: blob, repository: "a" },
  ]);
});

test("a tag without its manifest is found; one whose manifest's record is broken is good itself", () => {
  putWhole("a");
  put("a/_tags/gone", blob);
  const path = put(`a/_manifests/${fileNameOf(manifest)}`, "{");
  const { broken, problems } = look();
  expect(broken).toMatchObject([{ object: "registry manifest", path }]);
  expect(problems).toMatchObject([{ kind: "tag-dangling", reference: "a:gone", digest: blob }]);
});

test("a referrer that its subject does not know is found", () => {
  putWhole("a");
  const entry = join("a/_referrers", fileNameOf(manifest), fileNameOf(signature));
  rmSync(join(root, "repositories", entry));
  expect(look().problems).toEqual([
    {
      kind: "referrer-unlisted",
      digest: signature,
      subject: manifest,
      repository: "a",
      path: join(root, "repositories", entry),
    },
  ]);
});

test.each([
  ["a tag that is no digest", "_tags/v2", "latest", "registry tag"],
  ["a record of another manifest", `_manifests/${fileNameOf(blob)}`, record(manifest), "registry manifest"],
  [
    "a subject that is no digest",
    `_manifests/${fileNameOf(blob)}`,
    record(blob, { subject: "x" }),
    "registry manifest",
  ],
])("%s is broken", (_, path, text, object) => {
  putWhole("a");
  put(`a/${path}`, text);
  expect(look().broken).toMatchObject([{ object }]);
});
