import { humanSince, humanSize, localTimestamp, shortId } from "./human.ts";
import type { RowFormat } from "./row-format.ts";

/** An element of `GET /images/json`. */
export interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  /** Unix seconds. */
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
  /** Only where it was asked for. */
  readonly Descriptor?: { readonly digest: string };
  readonly Manifests?: readonly ManifestSummary[];
}

/** One of the manifests that an image's name stands for. */
export interface ManifestSummary {
  readonly ID: string;
  readonly Available: boolean;
  readonly Kind: string;
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly ImageData?: {
    readonly Platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
    readonly Containers: readonly string[] | null;
  };
}

/** One line of the list: an image under one of its names. */
export interface ImageName {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const none = "<none>";

/** An image has a line for each tag; with digests a line for each digest of a repository too. */
export function splitImages(images: readonly ImageSummary[], withDigest: boolean): ImageName[] {
  return images.flatMap((image) => splitImage(image, withDigest));
}

function splitImage(image: ImageSummary, withDigest: boolean): ImageName[] {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>").map(cutTag);
  const digests = (image.RepoDigests ?? []).filter((digest) => !digest.startsWith("<none>@")).map(cutDigest);
  const digestsOf = (repository: string) =>
    digests.filter((each) => each.repository === repository).map(({ digest }) => digest);
  const named = tags.flatMap(({ repository, tag }) => {
    const own = withDigest ? digestsOf(repository) : [];
    return (own.length === 0 ? [none] : own).map((digest) => ({ image, repository, tag, digest }));
  });
  const untagged = digests
    .filter(({ repository }) => !tags.some((each) => each.repository === repository))
    .map(({ repository, digest }) => ({ image, repository, tag: none, digest }));
  const lines = [...named, ...(withDigest || named.length === 0 ? untagged : [])];
  return lines.length === 0 ? [{ image, repository: none, tag: none, digest: none }] : lines;
}

function cutTag(name: string) {
  const colon = name.lastIndexOf(":");
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function cutDigest(name: string) {
  const at = name.indexOf("@");
  return { repository: name.slice(0, at), digest: name.slice(at + 1) };
}

export interface ImageRowOptions {
  readonly truncate: boolean;
  /** Adds the DIGEST column to the plain table. */
  readonly digest: boolean;
  readonly nowMs: number;
}

export function imageRows({ truncate, digest, nowMs }: ImageRowOptions): RowFormat<ImageName> {
  const columns = ["Repository", "Tag", ...(digest ? ["Digest"] : []), "ID", "CreatedSince", "Size"];
  const amount = (value: number) => (value < 0 ? "N/A" : String(value));
  return {
    columns,
    raw: [
      ["repository", "Repository"],
      ["tag", "Tag"],
      ...(digest ? ([["digest", "Digest"]] as const) : []),
      ["image_id", "ID"],
      ["created_at", "CreatedAt"],
      ["virtual_size", "Size"],
    ],
    fields: {
      ID: { header: "IMAGE ID", value: ({ image }) => (truncate ? shortId(image.Id) : image.Id) },
      Repository: { header: "REPOSITORY", value: ({ repository }) => repository },
      Tag: { header: "TAG", value: ({ tag }) => tag },
      Digest: { header: "DIGEST", value: (row) => row.digest },
      CreatedSince: { header: "CREATED", value: ({ image }) => humanSince(image.Created, nowMs) },
      CreatedAt: { header: "CREATED AT", value: ({ image }) => localTimestamp(image.Created) },
      Size: { header: "SIZE", value: ({ image }) => humanSize(image.Size, 3) },
      Containers: { header: "CONTAINERS", value: ({ image }) => amount(image.Containers) },
      SharedSize: {
        header: "SHARED SIZE",
        value: ({ image }) => (image.SharedSize < 0 ? "N/A" : humanSize(image.SharedSize)),
      },
      UniqueSize: {
        header: "UNIQUE SIZE",
        value: ({ image }) => (image.SharedSize < 0 ? "N/A" : humanSize(image.Size - image.SharedSize)),
      },
    },
  };
}
