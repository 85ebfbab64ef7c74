import { join } from "node:path";
import { fileNameOf } from "../content/digest-file-name.ts";
import type { Problem } from "./problem.ts";
import type { Survey, SurveyedRepository } from "./survey.ts";

/** What is wrong in repositories of a registry; pure. Blobs with wrong bytes are problems of their own already. */
export function repositoryProblems(survey: Survey): Problem[] {
  return survey.repositories.flatMap((repository) => [
    ...danglingLinks(survey, repository),
    ...danglingTags(survey, repository),
    ...missingReferrers(repository),
  ]);
}

function danglingLinks({ blobs, memory }: Survey, { name, ...links }: SurveyedRepository): Problem[] {
  return [...links.manifests, ...links.blobs].flatMap(({ digest, path }): Problem[] => {
    if (blobs.has(digest) || memory?.isHeld(digest)) return [];
    return [{ kind: "link-dangling", digest, path, repository: name }];
  });
}

function danglingTags(
  { broken }: Survey,
  { name, path: directory, manifests, tags }: SurveyedRepository,
): Problem[] {
  const known = new Set([
    ...manifests.map(({ digest }) => digest),
    // Of a broken record the tag may be good.
    ...broken.flatMap(({ path }) => (path.startsWith(`${directory}/_manifests/`) ? [path] : [])),
  ]);
  return tags.flatMap(({ tag, digest, path }): Problem[] => {
    const isKnown = known.has(digest) || known.has(join(directory, "_manifests", fileNameOf(digest)));
    return isKnown ? [] : [{ kind: "tag-dangling", digest, path, reference: `${name}:${tag}` }];
  });
}

function missingReferrers({ name, path, manifests, referrers }: SurveyedRepository): Problem[] {
  return manifests.flatMap(({ digest, subject }): Problem[] => {
    if (subject === undefined) return [];
    const entry = `${fileNameOf(subject)}/${fileNameOf(digest)}`;
    if (referrers.has(entry)) return [];
    return [
      { kind: "referrer-unlisted", digest, subject, repository: name, path: join(path, "_referrers", entry) },
    ];
  });
}
