import { expect, test } from "bun:test";
import type { ImageSummary, ManifestSummary } from "./image-row.ts";
import { imageTree } from "./image-tree.ts";

const hex = (digit: string) => `sha256:${digit.repeat(64)}`;

const manifest = (
  digit: string,
  architecture: string,
  rest: Partial<ManifestSummary> = {},
): ManifestSummary => ({
  ID: hex(digit),
  Available: true,
  Kind: "image",
  Size: { Total: 3_000_000, Content: 1_000_000 },
  ImageData: { Platform: { os: "linux", architecture }, Containers: [] },
  ...rest,
});

const image = (
  digit: string,
  tags: readonly string[],
  manifests: readonly ManifestSummary[],
): ImageSummary => ({
  Id: hex(digit),
  RepoTags: tags,
  RepoDigests: [],
  Created: 0,
  Size: 0,
  SharedSize: -1,
  Containers: 0,
  Manifests: manifests,
});

const absent = { Available: false, Size: { Total: 0, Content: 0 } };
const used = { ImageData: { Platform: { os: "linux", architecture: "arm64" }, Containers: ["c1"] } };
const attestation: ManifestSummary = { ...manifest("e", ""), Kind: "attestation" };

test("names in their order, platforms below them, attestations left out", () => {
  const web = [manifest("1", "amd64", absent), manifest("2", "arm64", used), attestation];
  expect(
    imageTree([image("a", ["web:1", "web:latest"], web), image("b", ["app:1"], [manifest("3", "amd64")])], {
      truncate: true,
    }).split("\n"),
  ).toEqual([
    "IMAGE            ID             DISK USAGE   CONTENT SIZE   IN USE",
    "app:1            bbbbbbbbbbbb   3MB          1MB",
    "└─ linux/amd64   333333333333   3MB          1MB",
    "web:1            aaaaaaaaaaaa   3MB          1MB            yes",
    "web:latest",
    "├─ linux/amd64   111111111111   not here",
    "└─ linux/arm64   222222222222   3MB          1MB            yes",
    "",
  ]);
});

test("an image without a name stands below the name whose platform it is, or at the end", () => {
  const both = [manifest("1", "amd64"), manifest("2", "arm64")];
  const text = imageTree(
    [
      image("c", [], [manifest("9", "amd64")]),
      image("a", ["web:1"], both),
      image("b", [], [manifest("1", "amd64")]),
    ],
    { truncate: true },
  );
  expect(text.match(/^\S+(?= )/gm)).toEqual(["IMAGE", "web:1", "├─", "└─", "<untagged>", "└─"]);
});
