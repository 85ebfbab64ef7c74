import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { codeOf, digestOf, GantryRegistry, manifestType } from "./gantry-registry.ts";

/**
 * What distribution-spec's own suite asks of manifests: each kind of document is pushed by digest and by tag, listed,
 * read by HEAD and GET, found as a referrer, and deleted at once; tags, then manifests, then blobs.
 */

let registry: GantryRegistry;
beforeAll(async () => {
  registry = await GantryRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());

const name = "conformance/manifests";
const indexType = "application/vnd.oci.image.index.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";
const foreignType = "application/vnd.oci.image.layer.nondistributable.v1.tar";
const emptyType = "application/vnd.oci.empty.v1+json";
const artifactType = "application/vnd.example.v1";

type Algorithm = "sha256" | "sha512";
type Json = Record<string, unknown>;
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What one case pushes, in this order. */
class Content {
  readonly blobs = new Map<string, string>();
  readonly manifests = new Map<string, { readonly text: string; readonly mediaType: string }>();

  constructor(readonly algorithm: Algorithm = "sha256") {}

  blob(mediaType: string, text: string): Descriptor {
    const digest = digestOf(text, this.algorithm);
    this.blobs.set(digest, text);
    return { mediaType, digest, size: text.length };
  }

  image(extra: Json = {}): Descriptor {
    const config = this.blob(configType, JSON.stringify({ architecture: "amd64", random: Math.random() }));
    const layers = [1, 2].map((number) => this.blob(layerType, `layer ${number} ${Math.random()}`));
    return this.manifest(manifestType, { config, layers, ...extra });
  }

  artifact(extra: Json = {}, type = artifactType): Descriptor {
    const config = this.blob(emptyType, "{}");
    const layers = [this.blob(type, `artifact ${Math.random()}`)];
    return this.manifest(manifestType, { artifactType: type, config, layers, ...extra });
  }

  index(manifests: readonly object[], extra: Json = {}): Descriptor {
    return this.manifest(indexType, { manifests, ...extra });
  }

  manifest(mediaType: string, fields: Json): Descriptor {
    const text = JSON.stringify({ schemaVersion: 2, mediaType, ...fields });
    const digest = digestOf(text, this.algorithm);
    this.manifests.set(digest, { text, mediaType });
    return { mediaType, digest, size: text.length };
  }

  platforms(extra: Json = {}): (Descriptor & Json)[] {
    return ["amd64", "arm64"].map((architecture) => ({
      ...this.image(extra),
      platform: { os: "linux", architecture },
    }));
  }
}

const cases: Readonly<Record<string, (content: Content) => unknown>> = {
  image: (content) => content.image(),
  "image without layers": (content) => content.image({ layers: [] }),
  "image of nearly 4 MiB": (content) =>
    content.image({
      annotations: Object.fromEntries(Array.from({ length: 390 }, (_, n) => [`a${n}`, "A".repeat(10_000)])),
    }),
  index: (content) => content.index(content.platforms()),
  "index of indexes": (content) =>
    content.index([content.index(content.platforms()), content.index(content.platforms())]),
  "empty index": (content) => content.index([]),
  artifact: (content) => content.artifact(),
  "index of artifacts": (content) =>
    content.index([content.artifact(), content.artifact()], { artifactType }),
  "artifact without content": (content) =>
    content.manifest(manifestType, {
      artifactType,
      config: content.blob(emptyType, "{}"),
      layers: [content.blob(emptyType, "{}")],
    }),
  "data in descriptors": (content) =>
    content.manifest(manifestType, {
      config: { ...content.blob(configType, "{}"), data: btoa("{}") },
      layers: [{ ...content.blob(layerType, "layer"), data: btoa("layer") }],
    }),
  "layers that lie elsewhere": (content) =>
    content.image({
      layers: [
        { mediaType: foreignType, digest: digestOf("far"), size: 3, urls: ["https://store.example/far"] },
        content.blob(layerType, "near"),
      ],
    }),
  "fields of nobody": (content) =>
    content.index(content.platforms({ "org.x": { y: [1] } }), { "org.z": null }),
  "subject that is not there": (content) =>
    content.artifact({ subject: { mediaType: manifestType, digest: digestOf("to come"), size: 123 } }),
  "index with a subject": (content) => content.index(content.platforms(), { subject: content.image() }),
};

const put = (reference: string, { text, mediaType }: { text: string; mediaType: string }) =>
  registry.fetch(`/v2/${name}/manifests/${reference}`, {
    method: "PUT",
    headers: { "Content-Type": mediaType },
    body: text,
  });

async function pushBlobs(content: Content) {
  for (const [digest, body] of content.blobs) {
    const path = `/v2/${name}/blobs/uploads/?digest=${digest}`;
    expect((await registry.fetch(path, { method: "POST", body })).status).toBe(201);
  }
}

async function expectManifest(
  path: string,
  digest: string,
  { text, mediaType }: { text: string; mediaType: string },
) {
  for (const method of ["HEAD", "GET"]) {
    const reply = await registry.fetch(path, {
      method,
      headers: { Accept: `${indexType}, ${manifestType}` },
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe(mediaType);
    expect(reply.headers.get("content-length")).toBe(String(text.length));
    expect(reply.headers.get("docker-content-digest")).toBe(digest);
    expect(await reply.text()).toBe(method === "HEAD" ? "" : text);
  }
}

async function deleteAll(paths: Iterable<string>) {
  for (const path of paths) {
    expect((await registry.fetch(path, { method: "DELETE" })).status).toBe(202);
    expect((await registry.fetch(path, { method: "HEAD" })).status).toBe(404);
  }
}

/** Pushes everything, reads it, deletes it; `meanwhile` comes before the last. */
async function roundTrip(content: Content, meanwhile: () => Promise<void> = async () => {}) {
  await pushBlobs(content);
  for (const [digest, manifest] of content.manifests) {
    const { subject } = JSON.parse(manifest.text) as { subject?: Descriptor };
    const reply = await put(digest, manifest);
    expect([reply.status, reply.headers.get("docker-content-digest")]).toEqual([201, digest]);
    expect(reply.headers.get("oci-subject")).toBe(subject?.digest ?? null);
    await expectManifest(reply.headers.get("location") ?? "", digest, manifest);
  }
  await meanwhile();
  await deleteAll([...content.manifests.keys()].reverse().map((digest) => `/v2/${name}/manifests/${digest}`));
  await deleteAll([...content.blobs.keys()].map((digest) => `/v2/${name}/blobs/${digest}`));
}

test.each(Object.entries(cases))("%s", async (_what, make) => {
  const content = new Content();
  make(content);
  await roundTrip(content, async () => {
    const [digest = "", manifest] = [...content.manifests].at(-1) ?? [];
    if (!manifest) throw new Error("the case has no manifest");
    for (const tag of ["b", "a"]) expect((await put(tag, manifest)).status).toBe(201);
    const list = async (query = "") => (await registry.fetch(`/v2/${name}/tags/list${query}`)).json();
    expect(await list()).toEqual({ name, tags: ["a", "b"] });
    expect(await list("?last=a")).toEqual({ name, tags: ["b"] });
    expect(await list("?n=1")).toEqual({ name, tags: ["a"] });
    await expectManifest(`/v2/${name}/manifests/a`, digest, manifest);
    await deleteAll(["a", "b"].map((tag) => `/v2/${name}/manifests/${tag}`));
  });
});

describe.each(["sha256", "sha512"] as const)("by %s", (algorithm) => {
  test("an index with its images, and tags that come along", async () => {
    const content = new Content(algorithm);
    const { digest } = content.index(content.platforms());
    await roundTrip(content, async () => {
      const index = content.manifests.get(digest);
      if (!index) throw new Error("the index is missing");
      const reply = await put(`${digest}?tag=one&tag=two`, index);
      expect([reply.status, reply.headers.get("oci-tag")]).toEqual([201, "one, two"]);
      for (const tag of ["one", "two"]) await expectManifest(`/v2/${name}/manifests/${tag}`, digest, index);
      await deleteAll(["one", "two"].map((tag) => `/v2/${name}/manifests/${tag}`));
    });
  });

  test("referrers of an image, all and by their type, as long as they are there", async () => {
    const content = new Content(algorithm);
    const subject = content.image();
    const annotations = { "org.example": "hello" };
    const wanted = [
      { ...content.image({ subject }), artifactType: configType },
      { ...content.artifact({ subject, annotations }), artifactType, annotations },
      { ...content.artifact({ subject }, "application/x.other"), artifactType: "application/x.other" },
      { ...content.index([], { subject, artifactType }), artifactType },
      content.index([], { subject }), // has no artifact type
    ];
    const list = async (type?: string) => {
      const query = type === undefined ? "" : `?artifactType=${encodeURIComponent(type)}`;
      const reply = await registry.fetch(`/v2/${name}/referrers/${subject.digest}${query}`);
      expect([reply.status, reply.headers.get("content-type")]).toEqual([200, indexType]);
      expect(reply.headers.get("oci-filters-applied")).toBe(type === undefined ? null : "artifactType");
      const { schemaVersion, mediaType, manifests } = (await reply.json()) as {
        schemaVersion: number;
        mediaType: string;
        manifests: Descriptor[];
      };
      expect([schemaVersion, mediaType]).toEqual([2, indexType]);
      return manifests;
    };
    const sorted = (descriptors: readonly Descriptor[]) =>
      descriptors.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
    await roundTrip(content, async () => {
      expect(sorted(await list())).toEqual(sorted(wanted));
      for (const type of [configType, artifactType, "application/x.other"])
        expect(sorted(await list(type))).toEqual(
          sorted(wanted.filter((each) => "artifactType" in each && each.artifactType === type)),
        );
      expect(await list("application/x.none")).toEqual([]);
    });
    expect(await list()).toEqual([]);
  });
});

test("a manifest that is another one than its digest says is refused, and so is what is no digest", async () => {
  const content = new Content();
  const { digest } = content.image();
  await pushBlobs(content);
  const { text = "", mediaType = "" } = content.manifests.get(digest) ?? {};
  for (const reference of [digest, "sha256:baddigeststring"]) {
    const reply = await put(reference, { text: `${text}  `, mediaType });
    expect([reply.status, await codeOf(reply)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.fetch(`/v2/${name}/manifests/${reference}`)).status).toBe(404);
  }
});

test("a repository that nobody has heard of", async () => {
  const nobody = "conformance/nobody";
  expect((await registry.fetch(`/v2/${nobody}/tags/list`)).status).toBe(404);
  expect((await registry.fetch(`/v2/${nobody}/manifests/latest`)).status).toBe(404);
  expect((await registry.fetch(`/v2/${nobody}/referrers/${digestOf("x")}`)).status).toBe(200);
});
