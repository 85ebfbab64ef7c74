import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestHex, digestOf, isDigest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import { descriptorFrom } from "../../formats/parse-oci-image.ts";
import { fileError } from "../content/file-error.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";

/** What is on disk of an image beside its blobs: it is there, also without a name. */
export interface ImageRecord {
  readonly id: Digest;
  readonly manifest: Descriptor;
  /** RFC 3339. */
  readonly addedAt: string;
  readonly parent?: Digest;
}

/** An image that a name means, and the manifest that it came by. */
export interface NamedImage {
  readonly image: Digest;
  readonly manifest: Descriptor;
}

/** What is on disk of a name. */
export interface ReferenceRecord {
  /** Canonical, with tag or digest. */
  readonly reference: string;
  readonly image: Digest;
  /** The index or manifest that the name stands for. */
  readonly target: Descriptor;
  /** The manifest that was chosen from it. */
  readonly manifest: Descriptor;
  /** The same index for other platforms. */
  readonly others?: readonly NamedImage[];
  /** RFC 3339. */
  readonly createdAt: string;
}

/**
 * The sidecars of images below `directory`: `ids/<hex of the id>.json` and `references/<sha256 of the canonical
 * name>.json`, written aside, fsynced, renamed.
 */
export class ImageSidecars {
  constructor(private readonly directory: string) {
    for (const folder of ["ids", "references"]) {
      mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
    }
  }

  /** What cannot be read is reported, and skipped. */
  load(onBroken: (path: string, error: unknown) => void): {
    images: ImageRecord[];
    references: ReferenceRecord[];
  } {
    return {
      images: this.loadFolder("ids", imageRecord, onBroken),
      references: this.loadFolder("references", referenceRecord, onBroken),
    };
  }

  private loadFolder<T>(
    folder: string,
    parse: (fields: JsonFields) => T,
    onBroken: (path: string, error: unknown) => void,
  ): T[] {
    const names = readdirSync(join(this.directory, folder)).filter((name) => name.endsWith(".json"));
    return names.sort().flatMap((name) => {
      const path = join(this.directory, folder, name);
      try {
        return [parse(JsonFields.parse(path, readFileSync(path)))];
      } catch (error) {
        onBroken(path, error);
        return [];
      }
    });
  }

  writeImage(record: ImageRecord): Promise<void> {
    return this.write(this.imagePath(record.id), record);
  }

  removeImage(id: Digest): Promise<void> {
    return this.delete(this.imagePath(id));
  }

  writeReference(record: ReferenceRecord): Promise<void> {
    return this.write(this.referencePath(record.reference), record);
  }

  removeReference(reference: string): Promise<void> {
    return this.delete(this.referencePath(reference));
  }

  private async write(path: string, record: ImageRecord | ReferenceRecord): Promise<void> {
    await writeFileDurably(path, `${JSON.stringify(record)}\n`).catch((error) => {
      throw fileError(error, `write ${path}`);
    });
  }

  private async delete(path: string): Promise<void> {
    await rm(path, { force: true }).catch((error) => {
      throw fileError(error, `remove ${path}`);
    });
  }

  private imagePath(id: Digest): string {
    return join(this.directory, "ids", `${digestHex(id)}.json`);
  }

  /** A reference can be longer than a file name and has slashes: its hash names the file. */
  private referencePath(reference: string): string {
    return join(this.directory, "references", `${digestHex(digestOf(reference))}.json`);
  }
}

function imageRecord(fields: JsonFields): ImageRecord {
  return {
    id: digestField(fields, "id"),
    manifest: descriptorFrom(fields.requiredObject("manifest")),
    addedAt: fields.requiredString("addedAt"),
    ...(fields.string("parent") === undefined ? {} : { parent: digestField(fields, "parent") }),
  };
}

function referenceRecord(fields: JsonFields): ReferenceRecord {
  const others = fields.objects("others")?.map(namedImage);
  return {
    reference: fields.requiredString("reference"),
    target: descriptorFrom(fields.requiredObject("target")),
    ...namedImage(fields),
    ...(others === undefined ? {} : { others }),
    createdAt: fields.requiredString("createdAt"),
  };
}

function namedImage(fields: JsonFields): NamedImage {
  return { image: digestField(fields, "image"), manifest: descriptorFrom(fields.requiredObject("manifest")) };
}

function digestField(fields: JsonFields, key: string): Digest {
  const text = fields.requiredString(key);
  if (!isDigest(text)) throw fields.problem(key, `is not a digest: ${text}`);
  return text;
}
