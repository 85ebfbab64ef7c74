import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { parsePlatform } from "../../formats/platform.ts";
import type { Image } from "./contract.ts";
import { noSuchImage } from "./find-image-id.ts";
import { ImagePlatforms } from "./image-platforms.ts";

const host = { os: "linux", architecture: "amd64" };

function imageFor(platform: string): Image {
  const manifest: Descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(platform), size: 1 };
  return {
    id: digestOf(`config of ${platform}`),
    manifest,
    config: {
      ...parsePlatform(platform, host),
      config: {},
      rootfs: { type: "layers", diff_ids: [] },
      history: [],
    },
    chainIds: [],
    sizeBytes: 0,
    tags: [],
    repoDigests: [],
    lastTaggedAt: undefined,
  };
}

/** `web` is an index of all that is `offered`, means the first image of those that are `here`. */
function platforms(offered: readonly string[], here: readonly string[]): ImagePlatforms {
  const images = here.map(imageFor);
  const manifests = offered.map((each) => ({
    ...imageFor(each).manifest,
    platform: parsePlatform(each, host),
  }));
  const bytes = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
  const index = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
  return new ImagePlatforms(
    {
      list: () => images,
      resolve: (name) => {
        const [first] = name === "web" ? images : [];
        if (first === undefined) throw noSuchImage(name);
        return first;
      },
      target: (name) => (name === "web" ? index : undefined),
    },
    { has: (digest) => digest === index.digest, read: async () => bytes },
  );
}

const chosen = async (offered: readonly string[], here: readonly string[], wanted?: string) => {
  const platform = wanted === undefined ? undefined : parsePlatform(wanted, host);
  const { config } = await platforms(offered, here).choose("web", platform);
  return [config.os, config.architecture, config.variant].filter(Boolean).join("/");
};

test.each([
  [undefined, "linux/arm64"], // what the name means
  ["linux/arm64", "linux/arm64"],
  ["linux/amd64", "linux/amd64"],
  ["linux/arm/v7", "linux/arm/v6"], // what runs there, of the same architecture
])("%p is %s of those that are here", async (wanted, found) => {
  const all = ["linux/amd64", "linux/arm64", "linux/arm/v6"];
  expect(await chosen(all, ["linux/arm64", "linux/amd64", "linux/arm/v6"], wanted)).toBe(found);
});

test("who asks for arm64 does not get what merely runs there, nor what is not here", async () => {
  const offered = ["linux/arm/v7", "linux/arm64"];
  const missing =
    "image with reference web was found but does not provide the specified platform (linux/arm64)";
  expect(chosen(offered, ["linux/arm/v7"], "linux/arm64")).rejects.toThrow(missing);
});

test("an image that is no part of the name's index is none of its platforms", async () => {
  expect(chosen(["linux/amd64"], ["linux/amd64", "linux/arm64"], "linux/arm64")).rejects.toThrow(
    "does not provide",
  );
});

test("the manifests of a name, with those that are not here", async () => {
  const { index, manifests } = await platforms(["linux/amd64", "linux/arm64"], ["linux/amd64"]).manifests(
    "web",
  );
  expect(index?.mediaType).toBe(mediaTypes.ociIndex);
  expect(manifests.map(({ image }) => image !== undefined)).toEqual([true, false]);
});
