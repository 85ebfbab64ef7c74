import { invalidParameter, notFound } from "../../errors/platform-error.ts";
import { digestOf } from "../../formats/digest.ts";
import { definedOnly } from "../../formats/json-fields.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import type { Platform } from "../../formats/platform.ts";
import type { IndexDraft, IndexMember } from "./contract.ts";

/** What a user says of a member, or of the index as a whole; undefined leaves a thing as it is. */
export interface Annotation {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The members with those of `added` in the place of their namesakes, or behind them. */
export function mergeMembers(members: readonly IndexMember[], added: readonly IndexMember[]): IndexMember[] {
  const byReference = new Map([...members, ...added].map((member) => [member.reference, member]));
  return [...byReference.values()];
}

/** Errors: NotFound in Docker's words for a member that is not there. */
export function annotateMember(draft: IndexDraft, reference: string, annotation: Annotation): IndexDraft {
  const member = findMember(draft, reference);
  const annotated = { ...member, descriptor: withAnnotation(member.descriptor, annotation) };
  return { ...draft, members: draft.members.map((each) => (each === member ? annotated : each)) };
}

/** Errors: NotFound in Docker's words. */
export function findMember({ name, members }: IndexDraft, reference: string): IndexMember {
  const member = members.find((each) => each.reference === reference);
  if (member) return member;
  throw notFound(`manifest for image ${reference} does not exist in ${name}`, {
    code: "manifest.missing",
    hint: `it has ${members.map((each) => each.reference).join(", ")}`,
  });
}

function withAnnotation(descriptor: Descriptor, given: Annotation): Descriptor {
  const { platform } = descriptor;
  const annotations = { ...descriptor.annotations, ...given.annotations };
  return definedOnly<Descriptor>({
    ...descriptor,
    platform: definedOnly<Platform>({
      os: given.os ?? platform?.os ?? "",
      architecture: given.architecture ?? platform?.architecture ?? "",
      variant: given.variant ?? platform?.variant,
      "os.version": given.osVersion ?? platform?.["os.version"],
      "os.features": given.osFeatures ?? platform?.["os.features"],
    }),
    annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
  });
}

export interface PlannedIndex {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * The bytes of an index: Docker's manifest list where all members are Docker's and nothing is annotated, else an OCI
 * index. The same draft gives the same bytes.
 * Errors: InvalidParameter in Docker's words for a member without a platform.
 * Spec:   OCI image-spec, "Image Index"; Docker's "Image Manifest V 2, Schema 2", manifest list.
 */
export function planIndex({ members, annotations }: IndexDraft): PlannedIndex {
  for (const { reference, descriptor } of members) {
    if (descriptor.platform?.os && descriptor.platform.architecture) continue;
    throw invalidParameter(
      `manifest ${reference} must have an OS and Architecture to be pushed to a registry`,
      { code: "manifest.platform", hint: "say it with `manifest annotate --os … --arch …`" },
    );
  }
  const isAnnotated =
    Object.keys(annotations).length > 0 || members.some(({ descriptor }) => descriptor.annotations);
  const isDockers = members.every(({ descriptor }) => descriptor.mediaType === mediaTypes.dockerManifest);
  const mediaType = isDockers && !isAnnotated ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const document = {
    schemaVersion: 2,
    mediaType,
    manifests: members.map(({ descriptor }) => descriptor),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document, null, 3));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
