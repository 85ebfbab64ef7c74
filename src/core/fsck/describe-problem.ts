import { shortDigest } from "../../formats/digest.ts";
import type { FsckFinding } from "../../wire/fsck-report.ts";
import { type DocumentRole, isNotice, type Problem } from "./problem.ts";

type Texts = Pick<FsckFinding, "what" | "why" | "meaning" | "remedy">;

/** A problem in words. */
export function describeProblem(problem: Problem): FsckFinding {
  return {
    severity: isNotice(problem) ? "notice" : "problem",
    kind: problem.kind,
    where: problem.path,
    ...textsOf(problem),
  };
}

const list = (images: readonly string[]): string => (images.length > 0 ? images.join(", ") : "no image");

const again = "move it aside, and fetch it again from the registry";

function textsOf(problem: Problem): Texts {
  switch (problem.kind) {
    case "blob-corrupt":
      return {
        what: `blob ${problem.digest} is corrupt`,
        why: `its bytes have the digest ${problem.actual}`,
        meaning: "what is read from it is not what its maker signed for",
        remedy: again,
      };
    case "blob-unreadable":
      return {
        what: `blob ${problem.digest} cannot be read`,
        why: problem.error,
        meaning: "whatever needs it fails",
        remedy: again,
      };
    case "blob-missing":
      return {
        what: `${problem.role} blob ${problem.descriptor.digest} is missing`,
        why: `${list(problem.images)} needs it`,
        meaning: meaningOfMissing[problem.role],
        remedy: "fetch it from the registry of the image",
      };
    case "blob-size":
      return {
        what: `blob ${problem.descriptor.digest} has another size than its descriptor says`,
        why: `it has ${problem.actualBytes} bytes, ${list(problem.images)} names ${problem.descriptor.size}`,
        meaning: "registries will refuse a push of the image",
        remedy: "none: the image was made so; build it again",
      };
    case "document-broken":
      return {
        what: `document ${problem.digest} makes no sense`,
        why: problem.error,
        meaning: `${list(problem.images)} cannot be used`,
        remedy: "none: the image was made so; it is moved aside, pull or load it again",
      };
    case "sidecar-broken":
      return sidecarTexts(problem);
    case "image-unrecorded":
      return {
        what: `image ${shortDigest(problem.id)} is not recorded`,
        why: `the name ${problem.image} stands for it, and its own sidecar is not there`,
        meaning: "the engine does not show the image",
        remedy: "write the sidecar again from what its names say",
      };
    case "image-unknown":
      return {
        what: `the engine does not know ${problem.image}`,
        why: "the image was not whole when the engine started",
        meaning: "the engine does not show the image, although it is whole now",
        remedy: "read its sidecars again",
      };
    case "layer-missing":
      return {
        what: `layer ${problem.chainId} is not unpacked`,
        why: `${list(problem.images)} stands on it`,
        meaning: "containers of the image cannot start",
        remedy: "unpack it again from its blob",
      };
    case "layer-parent-missing":
      return {
        what: `layer ${problem.chainId} stands on nothing`,
        why: `the layer ${problem.parent} below it is missing or wrong`,
        meaning: "containers of its images cannot start",
        remedy: "move it aside, and unpack it again on top of the layer below",
      };
    case "layer-differs":
      return {
        what: `layer ${problem.chainId} has other files than its blob`,
        why: problem.differences.join("; "),
        meaning: "containers see other files than the image's maker put there",
        remedy: "move it aside, and unpack it again from its blob",
      };
    case "top-missing":
      return {
        what: `container ${problem.container} has no writable layer`,
        why: "its directory is not there",
        meaning: "the container cannot start; what it had written is gone",
        remedy: "move what is left of the container aside",
      };
    case "top-parent-missing":
      return {
        what: `container ${problem.container} stands on a layer that is missing`,
        why: `layer ${problem.parent} is not unpacked`,
        meaning: "the container cannot start until the layer is back; what it had written is there",
        remedy: "unpack the layer again, if its image is still here; else pull the image",
      };
    case "top-unowned":
      return {
        what: `the writable layer ${problem.key} belongs to no container`,
        why: "its container was being made or removed when the engine ended",
        meaning: "it only takes space",
        remedy: "none needed: the engine removes it at its next start",
      };
    case "link-dangling":
      return {
        what: `repository ${problem.repository} lacks ${problem.digest}`,
        why: "it has a link to it, and the bytes are not in the content store",
        meaning: "pulls from the repository fail",
        remedy: "move the link aside; push the image again",
      };
    case "tag-dangling":
      return {
        what: `the tag ${problem.reference} of the registry stands for nothing`,
        why: `the repository does not have the manifest ${problem.digest}`,
        meaning: "it is listed, and cannot be pulled",
        remedy: "move it aside; push the image again",
      };
    case "referrer-unlisted":
      return {
        what: `${problem.digest} is not among the referrers of ${problem.subject}`,
        why: `its record in ${problem.repository} names that subject, and the list does not have it`,
        meaning: "clients do not find it: a signature or an attestation is overlooked",
        remedy: "enter it again",
      };
    case "stranger":
      return {
        what: "a file between the blobs is none",
        why: "its name is not a digest",
        meaning: "it only takes space",
        remedy: "none: gantry did not put it there",
      };
  }
}

const meaningOfMissing: Readonly<Record<DocumentRole, string>> = {
  index: "the image runs, but other platforms of it cannot be told",
  manifest: "the image cannot be used",
  config: "the image cannot be used",
  layer: "the image runs if the layer is unpacked, but it cannot be pushed or saved",
};

function sidecarTexts({ object, error }: Extract<Problem, { kind: "sidecar-broken" }>): Texts {
  const why = error;
  switch (object) {
    case "image":
      return {
        what: "the sidecar of an image is broken",
        why,
        meaning: "the engine does not show the image",
        remedy: "move it aside, and write it again from what the names say",
      };
    case "name":
      return {
        what: "the sidecar of a name is broken",
        why,
        meaning: "the name is lost; the image itself is not",
        remedy: "move it aside; tag the image again",
      };
    case "layer":
      return {
        what: "an unpacked layer is broken",
        why,
        meaning: "containers of its images cannot start",
        remedy: "move it aside, and unpack it again from its blob",
      };
    case "container":
      return {
        what: "the record of a container is broken",
        why,
        meaning: "the engine does not show the container, and cannot start it",
        remedy: "move the container aside, with what it had written",
      };
    case "registry manifest":
      return {
        what: "the record of a manifest in the registry is broken",
        why,
        meaning: "pulls of the manifest fail",
        remedy: "move it aside; push the image again",
      };
    case "registry tag":
      return {
        what: "a tag of the registry is broken",
        why,
        meaning: "pulls of the tag fail",
        remedy: "move it aside; push the tag again",
      };
    case "blob labels":
      return {
        what: "the labels of a blob are broken",
        why,
        meaning: "whoever asks for the labels gets an error; the blob itself is good",
        remedy: "move them aside: the blob has no labels then",
      };
    case "lease":
      return {
        what: "the sidecar of a lease is broken",
        why,
        meaning: "what it keeps is unknown: nothing is collected any more",
        remedy: "move it aside: what only it kept is collected then",
      };
  }
}
