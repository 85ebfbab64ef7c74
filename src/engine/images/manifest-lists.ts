import { KeyedLock } from "../../core/content/keyed-lock.ts";
import type { IndexDraft, IndexMember } from "../../core/indexes/contract.ts";
import type { IndexDrafts } from "../../core/indexes/index-drafts.ts";
import {
  type CredentialsOf,
  type ManifestSources,
  memberOf,
  noSuchManifest,
} from "../../core/indexes/manifest-sources.ts";
import {
  type Annotation,
  annotateMember,
  findMember,
  mergeMembers,
  planIndex,
} from "../../core/indexes/plan-index.ts";
import { type PushedIndex, pushIndex } from "../../core/indexes/push-index.ts";
import type { Registries } from "../../core/transfer/contract.ts";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { canonicalReference, parseReference, withDefaultTag, withDigest } from "../../formats/reference.ts";
import { parsedJson, type ShownManifest, showManifest } from "./show-manifest.ts";

/** For whom a request is, and until when. */
export interface ManifestAccess {
  readonly credentialsOf: CredentialsOf;
  readonly signal: AbortSignal;
}

export interface InspectRequest extends ManifestAccess {
  readonly list: string | undefined;
  readonly verbose: boolean;
}

/** Indexes (Docker: manifest lists) that users put together from images for several platforms. */
export class ManifestLists {
  /** A change is read, made and written by one request at a time for each list. */
  readonly #turns = new KeyedLock();

  constructor(
    private readonly drafts: IndexDrafts,
    private readonly sources: ManifestSources,
    private readonly registries: () => Promise<Registries>,
  ) {}

  /**
   * Makes a list, or with `amend` adds to one.
   * Errors: Conflict in Docker's words for one that is there already; NotFound `no such manifest: …`; nothing is kept then.
   */
  async create(
    list: string,
    manifests: readonly string[],
    { amend, credentialsOf, signal }: ManifestAccess & { readonly amend: boolean },
  ): Promise<IndexDraft> {
    const name = listName(list);
    using _turn = await this.#turns.acquire(name, signal);
    const before = await this.drafts.find(name);
    if (before !== undefined && !amend) {
      throw conflict("refusing to amend an existing manifest list with no --amend flag", {
        code: "manifest.exists",
        hint: `add to it with --amend, or remove it with \`manifest rm ${list}\``,
      });
    }
    const added = await Promise.all(
      manifests.map(async (manifest): Promise<IndexMember> => {
        const reference = withDefaultTag(parseReference(manifest));
        const found = await this.sources.find(reference, credentialsOf, signal);
        return await memberOf(canonicalReference(reference), found);
      }),
    );
    const draft = {
      name,
      members: mergeMembers(before?.members ?? [], added),
      annotations: before?.annotations ?? {},
    };
    await this.drafts.save(draft);
    return draft;
  }

  /** `manifest` undefined: annotates the list itself. Errors: NotFound in Docker's words. */
  async annotate(list: string, manifest: string | undefined, annotation: Annotation): Promise<void> {
    using _turn = await this.#turns.acquire(listName(list));
    const draft = await this.#get(list);
    if (manifest !== undefined) {
      const reference = canonicalReference(withDefaultTag(parseReference(manifest)));
      await this.drafts.save(annotateMember(draft, reference, annotation));
      return;
    }
    const { annotations, ...ofMembers } = annotation;
    if (Object.values(ofMembers).some((value) => value !== undefined)) {
      throw invalidParameter("a platform belongs to a manifest, not to the whole list", {
        hint: "name the manifest after the list",
      });
    }
    await this.drafts.save({ ...draft, annotations: { ...draft.annotations, ...annotations } });
  }

  /** Pushes a list under its name; `purge` forgets it afterwards. */
  async push(
    list: string,
    { purge, credentialsOf, signal }: ManifestAccess & { readonly purge: boolean },
  ): Promise<PushedIndex> {
    const draft = await this.#get(list);
    const registries = await this.registries();
    const pushed = await pushIndex(registries, this.sources, { draft, credentialsOf, signal });
    if (purge) await this.drafts.remove(draft.name);
    return pushed;
  }

  /** Errors: NotFound in Docker's words. */
  async remove(list: string): Promise<void> {
    using _turn = await this.#turns.acquire(listName(list));
    const { name } = await this.#get(list);
    await this.drafts.remove(name);
  }

  /** Domains of the registries that a push of the list talks to: the client has their credentials. */
  async registriesOf(list: string): Promise<string[]> {
    const draft = await this.drafts.find(listName(list));
    const names = [list, ...(draft?.members ?? []).map(({ reference }) => reference)];
    return [...new Set(names.map((name) => parseReference(name).domain))];
  }

  /**
   * What a name stands for: a list that is put together here, or what a registry or this machine has.
   * `list`: the manifest as it is in that list. Verbose ones name each manifest with its descriptor and bytes.
   */
  async inspect(manifest: string, { list, verbose, ...access }: InspectRequest): Promise<unknown> {
    const reference = withDefaultTag(parseReference(manifest));
    const name = canonicalReference(reference);
    if (list !== undefined) {
      const member = findMember(await this.#get(list), name);
      if (verbose) return await this.#shownMember(member, access);
      return parsedJson((await this.sources.again(member, access.credentialsOf, access.signal)).bytes);
    }
    const draft = await this.drafts.find(name);
    if (draft !== undefined) {
      if (!verbose) return parsedJson(planIndex(draft).bytes);
      return await Promise.all(draft.members.map((member) => this.#shownMember(member, access)));
    }
    const found = await this.sources.find(reference, access.credentialsOf, access.signal);
    const { document, bytes } = found;
    if (!verbose) return parsedJson(bytes);
    if (document.kind === "manifest")
      return showManifest(name, (await memberOf(name, found)).descriptor, bytes);
    return await Promise.all(
      document.manifests.map(async (entry) =>
        showManifest(
          canonicalReference(withDigest(reference, entry.digest)),
          entry,
          await found.manifest(entry),
        ),
      ),
    );
  }

  async #shownMember(member: IndexMember, { credentialsOf, signal }: ManifestAccess): Promise<ShownManifest> {
    const { bytes } = await this.sources.again(member, credentialsOf, signal);
    return showManifest(member.reference, member.descriptor, bytes);
  }

  async #get(list: string): Promise<IndexDraft> {
    const name = listName(list);
    const draft = await this.drafts.find(name);
    if (draft === undefined) throw noSuchManifest(parseReference(name));
    return draft;
  }
}

/** Errors: InvalidParameter for a digest: what it means is known only afterwards. */
function listName(list: string): string {
  const reference = parseReference(list);
  if (reference.digest !== undefined) {
    throw invalidParameter("the name of a manifest list cannot have a digest", { code: "reference.digest" });
  }
  return canonicalReference(withDefaultTag(reference));
}
