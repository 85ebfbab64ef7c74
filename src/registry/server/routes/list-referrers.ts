import { mediaTypes } from "../../../formats/oci-image.ts";
import { checkDigest } from "../names.ts";
import { compareBytes, paginate } from "../paginate.ts";
import { documentReply, jsonReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** Annotations may be long; an answer should stay below what clients read as one manifest. */
const maxPage = 500;

/** `GET /v2/NAME/referrers/DIGEST`: an index of what names it as its subject; empty where nothing does. */
export const listReferrers: Handler = async ({ query }, { path, repository, reference }, registry) => {
  const subject = checkDigest(reference);
  const records = await registry.repositories.referrers(repository, subject);
  const list = `${repository}/referrers/${subject}?${query}`;
  const upstream = await registry.cache?.document(repository, list, records.length > 0);
  if (upstream) return documentReply(upstream);
  const wanted = query.get("artifactType") || undefined;
  const descriptors = records
    .map(({ descriptor }) => descriptor)
    .filter(({ artifactType }) => wanted === undefined || artifactType === wanted);
  const page = paginate(descriptors, {
    path,
    query,
    keyOf: ({ digest }) => digest,
    compare: compareBytes,
    maximum: maxPage,
  });
  return jsonReply(
    200,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: page.items },
    {
      ...page.headers,
      "Content-Type": mediaTypes.ociIndex,
      ...(wanted !== undefined && { "OCI-Filters-Applied": "artifactType" }),
    },
  );
};
