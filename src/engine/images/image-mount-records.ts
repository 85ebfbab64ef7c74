import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, digestOf, parseDigest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";

/** An image whose files are mounted somewhere on the host. */
export interface ImageMountRecord {
  /** Of the host; true, without links. */
  readonly path: string;
  readonly imageId: Digest;
  /** As the user wrote it. */
  readonly image: string;
  /** Base first. */
  readonly chainIds: readonly Digest[];
  /** The directory goes with the mount. */
  readonly isDirectoryOurs: boolean;
}

/** A file for each mount, below the engine's state: both last as long as the machine runs. */
export class ImageMountRecords {
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** What is no whole record is left out: `onBroken` is told. */
  load(onBroken: (path: string, error: unknown) => void): ImageMountRecord[] {
    const names = readdirSync(this.directory).filter((name) => name.endsWith(".json"));
    return names.flatMap((name) => {
      const path = join(this.directory, name);
      try {
        return [parseRecord(JsonFields.parse(path, readFileSync(path)))];
      } catch (error) {
        onBroken(path, error);
        return [];
      }
    });
  }

  write(record: ImageMountRecord): void {
    const path = this.#path(record.path);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(path: string): void {
    rmSync(this.#path(path), { force: true });
  }

  #path(mounted: string): string {
    return join(this.directory, `${digestHex(digestOf(mounted))}.json`);
  }
}

function parseRecord(fields: JsonFields): ImageMountRecord {
  return {
    path: fields.requiredString("path"),
    imageId: parseDigest(fields.requiredString("imageId")),
    image: fields.requiredString("image"),
    chainIds: (fields.strings("chainIds") ?? []).map(parseDigest),
    isDirectoryOurs: fields.boolean("isDirectoryOurs") ?? false,
  };
}
