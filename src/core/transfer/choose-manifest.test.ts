import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { chooseManifest } from "./choose-manifest.ts";

const platform = { os: "linux", architecture: "amd64" };

/** Documents by digest, as a registry has them. */
class Documents {
  private readonly bytes = new Map<string, Uint8Array>();

  add(document: object, mediaType: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
    const digest = digestOf(bytes);
    this.bytes.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  image(): Descriptor {
    const config = { mediaType: mediaTypes.ociConfig, digest: digestOf("config"), size: 6 };
    return this.add({ config, layers: [] }, mediaTypes.ociManifest);
  }

  index(inner: Descriptor): Descriptor {
    return this.add({ manifests: [{ ...inner, platform }] }, mediaTypes.ociIndex);
  }

  fetch = async ({ digest }: Descriptor): Promise<Uint8Array> => {
    const bytes = this.bytes.get(digest);
    if (bytes === undefined) throw new Error(`not there: ${digest}`);
    return bytes;
  };
}

test("indexes inside one another are followed, to a limit that is named", async () => {
  const documents = new Documents();
  const image = documents.image();
  let target = image;
  for (let depth = 1; depth <= 3; depth++) {
    target = documents.index(target);
    const chosen = await chooseManifest(target, platform, documents.fetch);
    expect(chosen.descriptor.digest).toBe(image.digest);
    expect(chosen.documents).toHaveLength(depth + 1);
  }
  target = documents.index(target);
  await expect(chooseManifest(target, platform, documents.fetch)).rejects.toThrow(
    `manifest ${target.digest}: more than 4 indexes inside one another`,
  );
});

test("entries of unknown types are passed over, and of those that fit the first is taken", async () => {
  const documents = new Documents();
  const image = documents.image();
  const other = documents.add({ manifests: [] }, "application/vnd.example.thing+json");
  const entries = (...given: object[]) => documents.add({ manifests: given }, mediaTypes.ociIndex);
  const choose = async (index: Descriptor) =>
    (await chooseManifest(index, platform, documents.fetch)).descriptor.digest;
  const second = { ...documents.add({ manifests: [image] }, mediaTypes.ociIndex), platform };
  expect(await choose(entries({ ...other, platform }, { ...image, platform }, second))).toBe(image.digest);
  await expect(choose(entries({ ...other, platform }))).rejects.toThrow(
    "no matching manifest for linux/amd64",
  );
});

test("an entry without a platform is taken where no other fits", async () => {
  const documents = new Documents();
  const [image, arm] = [documents.image(), { os: "linux", architecture: "arm64" }];
  const foreign = { ...documents.add({ manifests: [] }, mediaTypes.ociIndex), platform: arm };
  const index = documents.add({ manifests: [foreign, image] }, mediaTypes.ociIndex);
  const chosen = await chooseManifest(index, platform, documents.fetch);
  expect(chosen.descriptor.digest).toBe(image.digest);
});

test("a document of another kind than its descriptor says is refused", async () => {
  const documents = new Documents();
  const image = documents.image();
  const lie = { ...image, mediaType: mediaTypes.ociIndex };
  await expect(chooseManifest(lie, platform, documents.fetch)).rejects.toThrow(`manifest ${image.digest}`);
  const page = documents.add({}, "text/html");
  await expect(chooseManifest(page, platform, documents.fetch)).rejects.toThrow(`manifest ${page.digest}`);
});
