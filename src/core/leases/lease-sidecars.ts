import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDigest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { isMissingFile } from "../content/file-error.ts";
import type { Resource } from "./leases.ts";

/** A lease that outlives the process, as its sidecar says it. */
export interface LeaseRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; undefined: it lasts until it is removed. */
  readonly expiresAt: string | undefined;
  readonly resources: readonly Resource[];
}

/** All sidecars of a directory, which may be missing. What cannot be read is reported, and skipped. */
export function readLeases(
  directory: string,
  onBroken: (path: string, error: unknown) => void,
): LeaseRecord[] {
  // Other names are those of files that were cut off while they were written.
  const names = namesIn(directory).filter((name) => name.endsWith(".json"));
  return names.sort().flatMap((name) => {
    const path = join(directory, name);
    try {
      return [parseRecord(path)];
    } catch (error) {
      onBroken(path, error);
      return [];
    }
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

function parseRecord(path: string): LeaseRecord {
  const fields = JsonFields.parse(path, readFileSync(path));
  return {
    id: fields.requiredString("id"),
    labels: fields.stringMap("labels") ?? {},
    createdAt: fields.requiredString("createdAt"),
    expiresAt: fields.string("expiresAt"),
    resources: fields.requiredObjects("resources").map(parseResource),
  };
}

function parseResource(fields: JsonFields): Resource {
  const [kind, name] = [fields.requiredString("kind"), fields.requiredString("name")];
  if (kind === "snapshot") return { kind, name };
  if (kind !== "blob" && kind !== "layer") throw fields.problem("kind", `is unknown: ${kind}`);
  if (!isDigest(name)) throw fields.problem("name", `is not a digest: ${name}`);
  return { kind, name };
}
