import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IndexDrafts } from "../../core/indexes/index-drafts.ts";
import type { ManifestSources } from "../../core/indexes/manifest-sources.ts";
import { ManifestLists } from "./manifest-lists.ts";

test("a list that is removed while it is changed is gone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-lists-"));
  const drafts = new IndexDrafts(directory);
  const lists = new ManifestLists(drafts, {} as ManifestSources, () =>
    Promise.reject(new Error("not built")),
  );
  const name = "docker.io/library/a:latest";
  await drafts.save({ name, members: [], annotations: {} });
  const changed = lists.annotate("a", undefined, { annotations: { one: "1" } });
  const removed = lists.remove("a");
  await Promise.all([changed, removed]);
  expect(await drafts.find(name)).toBeUndefined();
  rmSync(directory, { recursive: true });
});
