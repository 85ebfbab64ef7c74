import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import type { BlobLabels } from "./contract.ts";
import { digestOfFileName, fileNameOf } from "./digest-file-name.ts";
import { fileError, isMissingFile } from "./file-error.ts";
import { writeFileDurably } from "./write-file-durably.ts";

/** The labels of blobs, a file for each blob that has some. Read when asked for: few are ever asked for. */
export class BlobLabelFiles {
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** A blob that comes back later must not get the labels of the one before. */
  removeOrphans(isPresent: (digest: Digest) => boolean): void {
    for (const name of readdirSync(this.directory)) {
      const digest = digestOfFileName(name.replace(/\.json$/, ""));
      if (digest === undefined || !isPresent(digest)) rmSync(join(this.directory, name), { force: true });
    }
  }

  async read(digest: Digest): Promise<BlobLabels> {
    const path = this.path(digest);
    try {
      return JsonFields.parse(path, await readFile(path)).stringMap("labels") ?? {};
    } catch (error) {
      if (isMissingFile(error)) return {};
      throw fileError(error, `read ${path}`);
    }
  }

  /** One caller at a time for a digest. */
  async merge(digest: Digest, labels: BlobLabels): Promise<void> {
    const merged = { ...(await this.read(digest)), ...labels };
    const kept = Object.entries(merged).filter(([, value]) => value !== "");
    if (kept.length === 0) return await this.remove(digest);
    const path = this.path(digest);
    await writeFileDurably(path, `${JSON.stringify({ labels: Object.fromEntries(kept) })}\n`).catch(
      (error) => {
        throw fileError(error, `write ${path}`);
      },
    );
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  private path(digest: Digest): string {
    return join(this.directory, `${fileNameOf(digest)}.json`);
  }
}
