import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import { parseIndex } from "../../formats/parse-oci-image.ts";
import type { IndexDraft, IndexMember } from "./contract.ts";
import { annotateMember, mergeMembers, planIndex } from "./plan-index.ts";

const member = (reference: string, architecture: string, mediaType: string): IndexMember => ({
  reference,
  source: "registry",
  descriptor: {
    mediaType,
    digest: digestOf(reference),
    size: 10,
    platform: { os: "linux", architecture },
  },
});
const draft = (...members: IndexMember[]): IndexDraft => ({
  name: "r.example/app:1",
  members,
  annotations: {},
});

const docker = member("r.example/app:amd64", "amd64", mediaTypes.dockerManifest);
const oci = member("r.example/app:arm64", "arm64", mediaTypes.ociManifest);

test.each([
  ["Docker's manifests make Docker's list", draft(docker), mediaTypes.dockerList],
  ["one OCI manifest makes an OCI index", draft(docker, oci), mediaTypes.ociIndex],
  ["Docker's list knows no annotations", { ...draft(docker), annotations: { a: "b" } }, mediaTypes.ociIndex],
] as const)("%s", (_, given, mediaType) => {
  const { descriptor, bytes } = planIndex(given);
  expect(descriptor).toEqual({ mediaType, digest: digestOf(bytes), size: bytes.length });
  expect(parseIndex(bytes).mediaType).toBe(mediaType);
  expect(parseIndex(bytes).manifests).toEqual(given.members.map((each) => each.descriptor));
});

test("what a user says replaces what the config said; the rest stays", () => {
  const annotated = annotateMember(draft(docker, oci), oci.reference, {
    variant: "v8",
    osFeatures: ["sse4"],
    annotations: { kind: "test" },
  });
  expect(annotated.members).toEqual([
    docker,
    {
      ...oci,
      descriptor: {
        ...oci.descriptor,
        platform: { os: "linux", architecture: "arm64", variant: "v8", "os.features": ["sse4"] },
        annotations: { kind: "test" },
      },
    },
  ]);
  const twice = annotateMember(annotated, oci.reference, { os: "plan9" });
  expect(twice.members[1]?.descriptor.platform?.variant).toBe("v8");
  expect(twice.members[1]?.descriptor.annotations).toEqual({ kind: "test" });
  expect(() => annotateMember(draft(docker), oci.reference, {})).toThrow(
    "manifest for image r.example/app:arm64 does not exist in r.example/app:1",
  );
});

test("a manifest without a platform cannot be in an index", () => {
  const nameless = {
    ...docker,
    descriptor: { ...docker.descriptor, platform: { os: "", architecture: "" } },
  };
  expect(() => planIndex(draft(nameless))).toThrow(
    "must have an OS and Architecture to be pushed to a registry",
  );
});

test("a member that is taken in again keeps its place", () => {
  const again = { ...docker, descriptor: { ...docker.descriptor, size: 11 } };
  expect(mergeMembers([docker, oci], [again])).toEqual([again, oci]);
});
