import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestHex, digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { createLog } from "../../log/log.ts";
import { FileContentStore } from "../content/file-content-store.ts";
import { FileImageStore } from "../images/file-image-store.ts";
import { Leases } from "../leases/leases.ts";
import type { Progress, PullRequest, RemoteRepository } from "./contract.ts";
import { FakeLayers, FakeUnpacker } from "./fake-layers.ts";
import { FakeRemote } from "./fake-remote.ts";
import { ImageTransfer } from "./image-transfer.ts";
import { Limit } from "./limit.ts";

let directory: string;
let content: FileContentStore;
let layers: FakeLayers;
let images: FileImageStore;
let remote: FakeRemote;
let transfer: ImageTransfer;
const asked: unknown[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "gantry-transfer-"));
  content = new FileContentStore(join(directory, "content"));
  layers = new FakeLayers();
  remote = new FakeRemote();
  asked.length = 0;
  const leases = new Leases();
  const log = createLog("error", () => {});
  images = await FileImageStore.open({
    directory: join(directory, "images"),
    content,
    snapshots: layers,
    leases,
    log,
  });
  transfer = new ImageTransfer({
    content,
    snapshots: layers,
    images,
    leases,
    log,
    unpacker: new FakeUnpacker(),
    spooler: { spool: () => Promise.reject(new Error("not built")) },
    spoolDirectory: content.spoolDirectory,
    registries: {
      repository: (reference, credentials): RemoteRepository => {
        asked.push({ path: reference.path, credentials });
        return remote;
      },
      login: async () => undefined,
      search: async () => [],
      uploads: () => {
        throw new Error("not built");
      },
    },
    platform: { os: "linux", architecture: "amd64" },
    downloads: new Limit(2),
    uploads: new Limit(5),
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

async function pull(reference = "a", options: Partial<PullRequest> = {}) {
  const lines: Progress[] = [];
  const signal = new AbortController().signal;
  const result = await transfer.pull({
    reference,
    onProgress: (line) => lines.push(line),
    signal,
    ...options,
  });
  return { ...result, lines, texts: lines.map(({ id, status }) => (id ? `${id}: ${status}` : status)) };
}

/** Nothing has a name, and nothing is left of what came. */
function expectNothing(): void {
  expect(images.list()).toEqual([]);
  expect(layers.layers()).toEqual([]);
  expect(layers.openDrafts).toBe(0);
  expect(content.list()).toEqual([]);
  expect(readdirSync(join(directory, "content/ingest"))).toEqual([]);
}

const short = (descriptor: Descriptor | undefined) => digestHex(descriptor?.digest ?? "sha256:").slice(0, 12);

describe("a pull", () => {
  test("says what Docker says, and registers tag and digest", async () => {
    const image = remote.addImage(["base", "top"]);
    const { changed, texts, lines, image: pulled } = await pull("a:1");
    const [base, top] = image.layers.map(short);
    expect(changed).toBe(true);
    expect(texts.slice(0, 3)).toEqual([
      "1: Pulling from library/a",
      `${base}: Pulling fs layer`,
      `${top}: Pulling fs layer`,
    ]);
    for (const id of [base, top]) {
      expect(texts.filter((text) => text?.startsWith(`${id}`))).toEqual([
        `${id}: Pulling fs layer`,
        `${id}: Downloading`,
        `${id}: Verifying Checksum`,
        `${id}: Download complete`,
        `${id}: Extracting`,
        `${id}: Pull complete`,
      ]);
    }
    expect(texts.slice(-2)).toEqual([
      `Digest: ${image.target.digest}`,
      "Status: Downloaded newer image for a:1",
    ]);
    // The layers come side by side: which of them is the first to show is open.
    const totals = lines
      .filter(({ status }) => status === "Downloading")
      .map((line) => line.progressDetail?.total);
    expect(totals).toContain(4);
    expect(texts.indexOf(`${base}: Pull complete`)).toBeLessThan(texts.indexOf(`${top}: Pull complete`));
    expect(pulled).toMatchObject({
      id: image.config.digest,
      tags: ["docker.io/library/a:1"],
      repoDigests: [`docker.io/library/a@${image.target.digest}`],
    });
    expect(readdirSync(join(directory, "content/ingest"))).toEqual([]);
  });

  test("of a name alone brings all its tags, and says once whether something is new", async () => {
    const { target } = remote.addImage(["base"]);
    remote.tagNames = ["1", "2"];
    const pullAll = async () => {
      const texts: (string | undefined)[] = [];
      const onProgress = ({ id, status }: Progress) => texts.push(id ? `${id}: ${status}` : status);
      const { signal } = new AbortController();
      await transfer.pullAll({ reference: "r.example/a", onProgress, signal });
      return texts;
    };
    const first = await pullAll();
    expect(first.filter((text) => /Pulling from|^Digest|^Status/.test(text ?? ""))).toEqual([
      "1: Pulling from a",
      `Digest: ${target.digest}`,
      "2: Pulling from a",
      `Digest: ${target.digest}`,
      "Status: Downloaded newer image for r.example/a",
    ]);
    expect(images.find("r.example/a:1")?.tags).toEqual(["r.example/a:1", "r.example/a:2"]);
    expect((await pullAll()).at(-1)).toBe("Status: Image is up to date for r.example/a");
    remote.tagNames = ["../escape"];
    await expect(pullAll()).rejects.toThrow("invalid tag format");
  });

  test("of what is there needs one question only", async () => {
    const { target } = remote.addImage(["base"]);
    await pull("a");
    remote.calls.length = 0;
    const again = await pull("a");
    expect(again.changed).toBe(false);
    expect(again.texts).toEqual([
      "latest: Pulling from library/a",
      `Digest: ${target.digest}`,
      "Status: Image is up to date for a:latest",
    ]);
    expect(remote.calls).toEqual(["resolve"]);
  });

  test("by digest gives no tag", async () => {
    const { target } = remote.addImage(["base"]);
    const { image, texts } = await pull(`a@${target.digest}`);
    expect(image.tags).toEqual([]);
    expect(texts[0]).toBe(`docker.io/library/a@${target.digest}: Pulling from library/a`);
    expect(texts.at(-1)).toBe(`Status: Downloaded newer image for a@${target.digest}`);
  });

  test("fetches only the layers that are not there", async () => {
    remote.addImage(["base", "one"]);
    await pull("a:1");
    const second = remote.addImage(["base", "two"]);
    const { texts } = await pull("b:1");
    expect(texts[1]).toBe(`${short(second.layers[0])}: Already exists`);
    expect(remote.calls.filter((call) => call === `blob ${digestOf("base")} 0`)).toHaveLength(1);
  });

  test("moves the tag when the registry's has moved", async () => {
    const first = remote.addImage(["old"]);
    await pull("a:1");
    remote.addImage(["new"]);
    const { changed, image } = await pull("a:1");
    expect(changed).toBe(true);
    expect(images.resolve("a:1").id).toBe(image.id);
    expect(images.resolve(first.config.digest).tags).toEqual([]);
  });

  test("of an image with the same layer twice, and of one without layers", async () => {
    remote.addImage(["same", "same"]);
    expect((await pull("a:1")).image.chainIds).toHaveLength(2);
    remote.addImage([]);
    expect((await pull("b:1")).image.chainIds).toEqual([]);
  });

  test("downloads so many at a time, and the others wait", async () => {
    const image = remote.addImage(["a", "b", "c", "d"]);
    remote.held = { digests: new Set(image.layers.map(({ digest }) => digest)), count: 2 };
    const { texts } = await pull();
    expect(texts).toContain(`${short(image.layers[3])}: Waiting`);
    expect(remote.maxOpenBlobs).toBe(2);
  });
});

describe("a mirror", () => {
  test("whose layer is no good costs one more download", async () => {
    remote.addImage(["base"]);
    remote.replaceBlob(digestOf("base"), "esab");
    remote.onReject = (digest) => {
      remote.onReject = undefined;
      remote.replaceBlob(digest, "base");
      return true;
    };
    await pull("a:1");
    const asked = remote.calls.filter((call) => call.startsWith(`blob ${digestOf("base")}`));
    expect(asked).toHaveLength(2);
    expect(layers.openDrafts).toBe(0);
  });
});

test("a registry that asks for patience is waited for, and that is said", async () => {
  remote.addImage(["base"]);
  remote.pauseSeconds = 7;
  const { texts } = await pull("a:1");
  expect(texts[0]).toBe("1: Waiting for the registry, retrying in 7 seconds");
  expect(texts).toContain(`${digestHex(digestOf("base")).slice(0, 12)}: Retrying in 7 seconds`);
});

describe("platforms", () => {
  const arm = { os: "linux", architecture: "arm64" };
  const intel = { os: "linux", architecture: "amd64" };

  test("the host's is chosen from an index, and the one that is asked for", async () => {
    const [forArm, forIntel] = remote.addIndex([
      { platform: arm, parts: ["arm"] },
      { platform: intel, parts: ["intel"] },
    ]);
    expect((await pull("a")).image.id).toBe(forIntel?.config.digest ?? "sha256:");
    const { image, changed } = await pull("a", { platform: "linux/arm64" });
    expect([image.id, changed]).toEqual([forArm?.config.digest ?? "sha256:", true]);
    expect((await pull("a")).image.id).toBe(forIntel?.config.digest ?? "sha256:");
    expect(image.repoDigests).toHaveLength(1);
  });

  test("none that fits", async () => {
    remote.addIndex([{ platform: arm, parts: ["arm"] }]);
    await expect(pull("a")).rejects.toThrow(
      "no matching manifest for linux/amd64 in the manifest list entries",
    );
    expectNothing();
  });

  test("an image without an index has to be for the platform that is asked for", async () => {
    remote.addImage(["x"]);
    await expect(pull("a", { platform: "linux/arm64" })).rejects.toThrow(
      "image with reference a:latest was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)",
    );
    expectNothing();
  });
});

describe("what goes wrong leaves nothing", () => {
  test("a layer with another digest", async () => {
    const { layers: wanted } = remote.addImage(["base", "top"]);
    remote.replaceBlob(digestOf("top"), "pot");
    await expect(pull()).rejects.toThrow(
      `filesystem layer verification failed for digest ${wanted[1]?.digest}`,
    );
    expectNothing();
  });

  test("a layer that does not end", async () => {
    remote.addImage(["base", "top"]);
    remote.replaceBlob(digestOf("top"), "top and more");
    await expect(pull()).rejects.toThrow("is longer than the 3 bytes that its descriptor promises");
    expectNothing();
  });

  test.each(["config", "layer", "manifest"] as const)(
    "a %s that is here already and has another size than its descriptor promises",
    async (kind) => {
      const image = remote.addImage(["base"]);
      await pull("a");
      remote.addLyingImage(image, kind);
      await expect(pull("b")).rejects.toThrow(/^blob sha256:\w+ has \d+ bytes, its descriptor promises 1$/);
      expect(images.find("docker.io/library/b:latest")).toBeUndefined();
    },
  );

  test("a hostile layer", async () => {
    remote.addImage(["base", "hostile"]);
    await expect(pull()).rejects.toThrow("entry leads out of it");
    expectNothing();
  });

  test("a layer that unpacks to something else than the config says", async () => {
    remote.addImage(["base"], { diffIds: [digestOf("other")] });
    await expect(pull()).rejects.toThrow("unpacks to");
    expectNothing();
  });

  test("a config that lists other layers", async () => {
    remote.addImage(["base"], { diffIds: [] });
    await expect(pull()).rejects.toThrow("lists 0 layers, its manifest has 1");
    expectNothing();
  });

  test("a config that is larger than any", async () => {
    const { config } = remote.addImage(["base"], { diffIds: Array(120_000).fill(digestOf("base")) });
    await expect(pull()).rejects.toThrow(
      `image config ${config.digest} has ${config.size} bytes, more than is sensible`,
    );
    expectNothing();
  });

  test("a config with another digest", async () => {
    const { config } = remote.addImage(["base"]);
    remote.replaceBlob(config.digest, "x".repeat(config.size));
    await expect(pull()).rejects.toThrow(`image config verification failed for digest ${config.digest}`);
    expectNothing();
  });

  test("an artifact that is no image", async () => {
    remote.addImage(["base"], { configType: "application/vnd.example.chart" });
    await expect(pull()).rejects.toThrow(
      "is not a container image but an artifact of type application/vnd.example",
    );
    expectNothing();
  });

  test("and nothing is said before the manifest is known", async () => {
    const lines: Progress[] = [];
    await expect(pull("missing", { onProgress: (line) => lines.push(line) })).rejects.toThrow("no image");
    expect(lines).toEqual([]);
  });

  test("but an image that shares its base keeps it", async () => {
    remote.addImage(["base"]);
    await pull("good");
    remote.addImage(["base", "hostile"]);
    await expect(pull("bad")).rejects.toThrow();
    expect(images.list()).toHaveLength(1);
    expect(layers.layers()).toHaveLength(1);
    expect(content.has(digestOf("base"))).toBe(true);
    expect(content.has(digestOf("hostile"))).toBe(false);
  });
});

describe("breaking off and going on", () => {
  test("an aborted pull names nothing, and the next one goes on where it stopped", async () => {
    remote.addImage(["base", "0123456789"]);
    const abort = new AbortController();
    remote.onBytes = (digest, position) => {
      if (digest === digestOf("0123456789") && position === 4) abort.abort(new Error("enough"));
    };
    await expect(pull("a", { signal: abort.signal })).rejects.toThrow("enough");
    expect(images.list()).toEqual([]);
    await remote.quiet();
    await layers.quiet();

    remote.onBytes = undefined;
    remote.calls.length = 0;
    const { image } = await pull("a");
    expect(image.chainIds).toHaveLength(2);
    const again = remote.calls.filter((call) => call.startsWith(`blob ${digestOf("0123456789")}`));
    expect(again).toEqual([expect.stringMatching(/ [2468]$/)]);
  });

  test("a partial file with wrong bytes costs one more download", async () => {
    remote.addImage(["0123456789"]);
    writeFileSync(join(directory, `content/ingest/sha256-${digestHex(digestOf("0123456789"))}`), "xyz");
    const { image } = await pull("a");
    expect(image.chainIds).toHaveLength(1);
    const digest = digestOf("0123456789");
    expect(remote.calls.slice(-2)).toEqual([`blob ${digest} 3`, `blob ${digest} 0`]);
  });
});

describe("at the same time", () => {
  test("two pulls of one image are one download, and both see its progress", async () => {
    remote.addImage(["base"]);
    const [first, second] = await Promise.all([pull("a"), pull("docker.io/library/a:latest")]);
    expect(first.texts).toEqual(second.texts);
    expect(remote.calls.filter((call) => call === "resolve")).toHaveLength(1);
  });

  test("one of two goes away: the other goes on", async () => {
    remote.addImage(["0123456789"]);
    const abort = new AbortController();
    remote.onBytes = (_, position) => {
      if (position === 2) abort.abort(new Error("gone"));
    };
    const [first, second] = await Promise.allSettled([pull("a", { signal: abort.signal }), pull("a")]);
    expect(first).toMatchObject({ status: "rejected" });
    expect(second).toMatchObject({ status: "fulfilled" });
  });

  test("other credentials ask for themselves", async () => {
    remote.addImage(["base"]);
    await Promise.all([pull("a"), pull("a", { credentials: { username: "u" } })]);
    expect(asked).toEqual([
      { path: "library/a", credentials: undefined },
      { path: "library/a", credentials: { username: "u" } },
    ]);
  });

  test("a removal that is under way takes nothing from a pull of what is still there", async () => {
    remote.addImage(["base", "top"]);
    await pull("a:1");
    const stored = content.list().sort();
    const blobCalls = () => remote.calls.filter((call) => call.startsWith("blob ")).length;
    const downloads = blobCalls();
    const removing = images.remove("a:1", { force: true, usedBy: new Map() });
    const { image } = await pull("a:1");
    await removing;
    expect(images.find("a:1")?.id).toBe(image.id);
    expect(content.list().sort()).toEqual(stored);
    expect(layers.layers()).toHaveLength(2);
    expect(blobCalls()).toBe(downloads);
  });

  test("two images with the same base download it once", async () => {
    remote.addImage(["base", "one"]);
    const first = pull("a:1");
    await remote.asked();
    remote.addImage(["base", "two"]);
    await Promise.all([first, pull("a:2")]);
    expect(images.list()).toHaveLength(2);
    expect(remote.calls.filter((call) => call.startsWith(`blob ${digestOf("base")}`))).toHaveLength(1);
  });
});

test("documents under sha512 are stored under their own name", async () => {
  const { target } = remote.addImage(["base"], { algorithm: "sha512" });
  const { image } = await pull("a");
  expect(target.digest).toStartWith("sha512:");
  expect(image.manifest).toEqual({ ...target, mediaType: mediaTypes.ociManifest });
  expect(content.has(target.digest)).toBe(true);
});

test("a partial blob that cannot be opened is let go of: the next pull does not wait for it", async () => {
  remote.addImage(["base"]);
  const begin = content.ingest.bind(content);
  content.ingest = async (...expected) => {
    const ingest = await begin(...expected);
    if (ingest) rmSync(ingest.path);
    return ingest;
  };
  await expect(pull()).rejects.toThrow("no such file or directory");
  content.ingest = begin;
  expect((await pull()).changed).toBe(true);
});
