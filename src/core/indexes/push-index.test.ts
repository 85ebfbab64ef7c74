import { expect, test } from "bun:test";
import { parseReference } from "../../formats/reference.ts";
import type { ContentStore } from "../content/contract.ts";
import type { BlobUpload, Registries } from "../transfer/contract.ts";
import { FakeRemote } from "../transfer/fake-remote.ts";
import { ManifestSources, memberOf } from "./manifest-sources.ts";
import { pushIndex } from "./push-index.ts";

const signal = new AbortController().signal;
const credentialsOf = () => undefined;

test("a blob goes up piece by piece, each of them the bytes that the registry asks for", async () => {
  const remote = new FakeRemote();
  remote.addImage(["0123456789"]);
  const pieces: string[] = [];
  const ensureBlob = async ({ descriptor, open }: BlobUpload) => {
    const ranges = [0, 3, 7].map((start, at, starts) => ({ start, end: starts[at + 1] ?? descriptor.size }));
    for (const range of ranges) pieces.push(Buffer.concat(await Array.fromAsync(open(range))).toString());
    return { kind: "uploaded" } as const;
  };
  const registries: Pick<Registries, "repository" | "uploads"> = {
    repository: () => remote,
    uploads: () => ({
      ...{ ensureBlob, hasBlob: async () => false, putManifest: async () => undefined },
      takesForeignLayers: async () => false,
    }),
  };
  const images = { find: () => undefined, target: () => undefined };
  const sources = new ManifestSources(
    async () => registries as Registries,
    images,
    undefined as unknown as ContentStore,
  );
  const member = "one.example/a:1";
  const found = await sources.inRegistry(parseReference(member), credentialsOf, signal);
  const draft = { name: "other.example/list:1", members: [await memberOf(member, found)], annotations: {} };
  await pushIndex(registries as Registries, sources, { draft, credentialsOf, signal });
  expect(pieces.slice(0, 3)).toEqual(["012", "3456", "789"]);
});
