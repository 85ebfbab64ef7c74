import { mkdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { digestHex, digestOf } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { descriptorFrom } from "../../formats/parse-oci-image.ts";
import { fileError, isMissingFile } from "../content/file-error.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";
import type { IndexDraft, IndexMember } from "./contract.ts";

/** The indexes that are being put together: a file each, named by the hash of its name, in `directory`. */
export class IndexDrafts {
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Undefined for a name that has none. Errors: InvalidParameter for a broken file, System. */
  async find(name: string): Promise<IndexDraft | undefined> {
    const path = this.#path(name);
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (isMissingFile(error)) return undefined;
      throw fileError(error, `read ${path}`);
    });
    return text === undefined ? undefined : parseDraft(JsonFields.parse(path, text));
  }

  async save(draft: IndexDraft): Promise<void> {
    const path = this.#path(draft.name);
    await writeFileDurably(path, `${JSON.stringify(draft)}\n`).catch((error: unknown) => {
      throw fileError(error, `write ${path}`);
    });
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name);
    await rm(path, { force: true }).catch((error: unknown) => {
      throw fileError(error, `remove ${path}`);
    });
  }

  #path(name: string): string {
    return join(this.directory, `${digestHex(digestOf(name))}.json`);
  }
}

function parseDraft(fields: JsonFields): IndexDraft {
  return {
    name: fields.requiredString("name"),
    members: fields.requiredObjects("members").map(parseMember),
    annotations: fields.stringMap("annotations") ?? {},
  };
}

function parseMember(fields: JsonFields): IndexMember {
  const source = fields.requiredString("source");
  if (source !== "registry" && source !== "local") throw fields.problem("source", "is unknown");
  return {
    reference: fields.requiredString("reference"),
    descriptor: descriptorFrom(fields.requiredObject("descriptor")),
    source,
  };
}
