import { conflict, type PlatformError } from "../../errors/platform-error.ts";
import { type Digest, digestHex, shortDigest } from "../../formats/digest.ts";
import { parseReference, type Reference, repositoryName, withDefaultTag } from "../../formats/reference.ts";

export interface RemovalRequest {
  readonly id: Digest;
  /** All names of the image; those with a tag first. */
  readonly references: readonly Reference[];
  /** What the user wrote and what was resolved to this image. */
  readonly given: string;
  readonly force: boolean;
  readonly users: readonly { readonly containerId: string; readonly running: boolean }[];
}

export interface RemovalPlan {
  /** In the order in which they are answered. */
  readonly untag: readonly Reference[];
  readonly deleteImage: boolean;
}

/**
 * Decides what `rmi` does; executes nothing.
 *
 * A name is only untagged while the image has others. The last tag of a repository takes the repository's
 * digest names with it. An id stands for all names, as long as they are of one repository.
 * Errors: Conflict in Docker's words; "must be forced" gives way to `force`, "cannot be forced" does not.
 */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  return isIdPrefix(request.id, request.given) ? planById(request) : planByName(request);
}

function planById(request: RemovalRequest): RemovalPlan {
  const { references, force } = request;
  const single = isSingleReference(references);
  const problem = conflictOf(request, { references: single ? [] : references, force });
  if (problem) throw problem;
  return { untag: references, deleteImage: true };
}

function planByName(request: RemovalRequest): RemovalPlan {
  const { id, references, given, force, users } = request;
  const [user] = users;
  if (!force && user && isSingleReference(references)) {
    throw conflict(
      `conflict: unable to remove repository reference "${given}" (must force) - ` +
        `container ${shortId(user.containerId)} is using its referenced image ${shortDigest(id)}`,
      { hint: "remove the container first, or force it", code: "image.in-use" },
    );
  }
  const named = nameOf(given);
  const others = references.filter((reference) => !sameName(reference, named));
  const repository = repositoryName(named);
  const tagIsLeft = others.some(
    (reference) => reference.digest === undefined && repositoryName(reference) === repository,
  );
  const goesToo = (reference: Reference) =>
    named.digest === undefined &&
    !tagIsLeft &&
    reference.digest !== undefined &&
    repositoryName(reference) === repository;
  const left = others.filter((reference) => !goesToo(reference));
  const untag = [named, ...others.filter(goesToo)];
  // A container that uses the image keeps it from being deleted, but not from losing its names.
  const deleteImage = left.length === 0 && conflictOf(request, { references: [], force }) === undefined;
  return { untag, deleteImage };
}

function nameOf(given: string): Reference {
  const reference = withDefaultTag(parseReference(given));
  return reference.digest === undefined ? reference : { ...reference, tag: undefined };
}

function sameName(a: Reference, b: Reference): boolean {
  return repositoryName(a) === repositoryName(b) && a.tag === b.tag && a.digest === b.digest;
}

function conflictOf(
  { id, users }: RemovalRequest,
  { references, force }: { references: readonly Reference[]; force: boolean },
): PlatformError | undefined {
  const unable = (how: string, why: string, hint: string) =>
    conflict(`conflict: unable to delete ${shortDigest(id)} (${how}) - ${why}`, {
      hint,
      code: "image.in-use",
    });
  const running = users.find((user) => user.running);
  if (running) {
    const why = `image is being used by running container ${shortId(running.containerId)}`;
    return unable("cannot be forced", why, "stop and remove the container first");
  }
  if (force) return undefined;
  if (references.length > 0) {
    const why = "image is referenced in multiple repositories";
    return unable("must be forced", why, "remove its names one by one, or force it");
  }
  const [stopped] = users;
  if (!stopped) return undefined;
  const why = `image is being used by stopped container ${shortId(stopped.containerId)}`;
  return unable("must be forced", why, "remove the container first, or force it");
}

function shortId(id: string): string {
  return id.slice(0, 12);
}

/** `given` is the beginning of the id, with or without its algorithm. */
function isIdPrefix(id: Digest, given: string): boolean {
  return id.startsWith(given) || digestHex(id).startsWith(given);
}

/** At most one tag, and all digest names are of one repository, the tag's. */
function isSingleReference(references: readonly Reference[]): boolean {
  if (references.length <= 1) return true;
  const tags = references.filter((reference) => reference.digest === undefined);
  const digestRepositories = new Set(
    references.filter((reference) => reference.digest !== undefined).map(repositoryName),
  );
  const [tag] = tags;
  return (
    tags.length <= 1 &&
    digestRepositories.size === 1 &&
    (tag === undefined || digestRepositories.has(repositoryName(tag)))
  );
}
