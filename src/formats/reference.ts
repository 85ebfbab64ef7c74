import { invalidParameter } from "../errors/platform-error.ts";
import { type Digest, digestProblem, isDigest } from "./digest.ts";

/**
 * A name of an image, normalised: `busybox` is `docker.io/library/busybox`.
 * Grammar and defaults are those of Docker's clients: `[domain/]path[:tag][@digest]`.
 */
export interface Reference {
  /** `docker.io`, `127.0.0.1:5000`. */
  readonly domain: string;
  /** The repository in its registry: `library/busybox`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const defaultDomain = "docker.io";
const legacyDefaultDomain = "index.docker.io";
const officialPrefix = "library/";
const maxNameLength = 255;

const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainName = `${domainComponent}(?:\\.${domainComponent})*`;
const domain = `(?:${domainName}|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const grammar = new RegExp(`^(${domain})/(${path})(?::(${tag}))?(?:@(${digest}))?$`);
const wholeTag = new RegExp(`^${tag}$`);
const imageId = /^[a-f0-9]{64}$/;

/**
 * Parses a name as a user writes it. Neither tag nor digest is invented: see `withDefaultTag`.
 * Errors: InvalidParameter in Docker's words, which scripts match.
 */
export function parseReference(text: string): Reference {
  if (imageId.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const name = splitDomain(text);
  const colon = name.rest.indexOf(":");
  const repository = colon < 0 ? name.rest : name.rest.slice(0, colon);
  if (repository !== repository.toLowerCase()) {
    throw invalid(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  const [, host, path, tag, digest] = grammar.exec(`${name.domain}/${name.rest}`) ?? [];
  if (host === undefined || path === undefined) throw invalid(formatProblem(text));
  if (path.length > maxNameLength) {
    throw invalid(`repository name must not be more than ${maxNameLength} characters`);
  }
  return { domain: host, path, tag, digest: digest === undefined ? undefined : parseReferenceDigest(digest) };
}

/** `My_org/app`: a capital makes the first part a domain, and the underscore keeps it from being one. */
function formatProblem(text: string): string {
  const lower = text.toLowerCase();
  const isCaseAlone = lower !== text && grammar.test(`${defaultDomain}/${lower}`);
  return isCaseAlone ? "repository name must be lowercase" : "invalid reference format";
}

function parseReferenceDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalid(digestProblem(text) ?? "invalid reference format");
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const named =
    first === "localhost" || first.includes(".") || first.includes(":") || first !== first.toLowerCase();
  const domain = named && first !== legacyDefaultDomain ? first : defaultDomain;
  const rest = named ? text.slice(slash + 1) : text;
  return { domain, rest: domain === defaultDomain && !rest.includes("/") ? officialPrefix + rest : rest };
}

function invalid(message: string) {
  return invalidParameter(message, { code: "reference.invalid" });
}

/** Adds `:latest` to a name that has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: "latest" }
    : reference;
}

/** The same repository with another tag and no digest. Errors: InvalidParameter `invalid tag format`. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!wholeTag.test(tag)) throw invalid("invalid tag format");
  return { ...reference, tag, digest: undefined };
}

export function withDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, tag: undefined, digest };
}

/** `docker.io/library/busybox`: the repository without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** `docker.io/library/busybox:latest`. */
export function canonicalReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** `busybox`: the repository as Docker shows it, without tag and digest. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return repositoryName(reference);
  const official = reference.path.startsWith(officialPrefix) && reference.path.slice(officialPrefix.length);
  return official && !official.includes("/") ? official : reference.path;
}

/** `sha256:abc` would be read as the beginning of an image's id. Errors: InvalidParameter, in Docker's words. */
export function checkUnambiguous(reference: Reference): void {
  if (reference.digest !== undefined || familiarName(reference) !== "sha256") return;
  throw invalidParameter("refusing to create an ambiguous tag using digest algorithm as name", {
    code: "reference.ambiguous",
  });
}

/** `busybox:latest`: what Docker shows to people. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** What a user may write where an image is asked for. */
export type ImageName =
  | { readonly kind: "id"; readonly digest: Digest }
  | { readonly kind: "name"; readonly reference: Reference };

/** 64 hex digits, or a whole digest, are an image id; everything else is a name (or a short id: ask the store). */
export function parseImageName(text: string): ImageName {
  if (imageId.test(text)) return { kind: "id", digest: `sha256:${text}` };
  if (isDigest(text)) return { kind: "id", digest: text };
  return { kind: "name", reference: parseReference(text) };
}
