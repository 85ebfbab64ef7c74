import { expect, test } from "bun:test";
import { humanDuration, humanDurationUntil } from "./human.ts";
import type { ImageSummary } from "./image-row.ts";
import { imageTable } from "./image-table.ts";

const created = 1_767_268_740;
const madeAt = (...times: readonly number[]): ImageSummary[] =>
  times.map((Created, index) => ({
    Id: `sha256:${String(index).repeat(64)}`,
    RepoTags: [`image:${index}`],
    RepoDigests: [],
    Created,
    Size: 4_270_000,
    SharedSize: -1,
    Containers: 0,
  }));
const plain = { truncate: true, digest: false };
const table = (images: readonly ImageSummary[], age: number, options = plain) =>
  imageTable(images, { ...options, nowMs: (created + age) * 1000 });

test("a list that is shown again reads as a new one would, whenever that is", () => {
  const images = madeAt(created, created - 86_400, created - 3000, created - 40 * 86_400);
  const ages = [0, 0.5, 1, 59, 59.9, 60, 119, 120, 3599, 5400, 86_400, 47.6 * 3600, 14 * 86_400, 30];
  for (const age of ages) expect(table(images, age)).toBe(table([...images], age));
});

test("each kind of table is its own", () => {
  const images = madeAt(created);
  for (const options of [
    plain,
    { truncate: false, digest: false },
    { truncate: true, digest: true },
    plain,
  ]) {
    expect(table(images, 30, options)).toBe(table([...images], 30, options));
  }
  expect(table([], 0)).toBe("REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n");
});

test("the words for an age last exactly until it is said that they do", () => {
  let changes = 0;
  for (let age = -3; age < 5 * 365 * 86_400; changes++) {
    const until = humanDurationUntil(age);
    expect(until).toBeGreaterThan(age);
    for (const share of [0.3, 0.999]) {
      expect(humanDuration(age + (until - age) * share)).toBe(humanDuration(age));
    }
    expect(humanDuration(until)).not.toBe(humanDuration(age));
    age = until;
  }
  expect(changes).toBeGreaterThan(200);
});
