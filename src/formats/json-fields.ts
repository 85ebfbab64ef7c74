import { invalidParameter, type PlatformError } from "../errors/platform-error.ts";

/**
 * Reads a JSON document field by field, so that an error names the document and the field:
 * `manifest sha256:…: layers[2].size is not a whole number`. As in Go's documents `null` counts as absent.
 */
export class JsonFields {
  private constructor(
    private readonly document: string,
    private readonly path: string,
    private readonly fields: Readonly<Record<string, unknown>>,
  ) {}

  /** `document` names the bytes in errors. Errors: InvalidParameter for anything but one JSON object. */
  static parse(document: string, bytes: Uint8Array | string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(typeof bytes === "string" ? bytes : strictUtf8.decode(bytes));
    } catch (cause) {
      throw invalidParameter(`${document} is not valid JSON`, { code: "json.syntax", cause });
    }
    if (!isObject(value)) throw invalidParameter(`${document} is not a JSON object`, { code: "json.type" });
    return new JsonFields(document, "", value);
  }

  /** The names of all fields. */
  keys(): string[] {
    return Object.keys(this.fields);
  }

  /** Of any type; undefined when absent. */
  value(key: string): unknown {
    return this.get(key);
  }

  /** Errors: InvalidParameter for a field of another name. */
  refuseOthers(known: readonly string[]): void {
    for (const key of this.keys()) {
      if (known.includes(key)) continue;
      throw invalidParameter(`${this.document}: ${this.path}${key} is not known`, {
        code: "config.unknown",
        hint: `known here: ${known.join(", ")}`,
      });
    }
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Absent and empty are the same, as in Go. */
  string(key: string): string | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== "string") throw this.problem(key, "is not a string");
    return value || undefined;
  }

  requiredString(key: string): string {
    return this.string(key) ?? this.missing(key);
  }

  wholeNumber(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      throw this.problem(key, "is not a whole number");
    }
    return value;
  }

  /** 0 or more. */
  requiredSize(key: string): number {
    const value = this.wholeNumber(key) ?? this.missing(key);
    if (value < 0) throw this.problem(key, "is negative");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== "boolean") throw this.problem(key, "is not true or false");
    return value;
  }

  object(key: string): JsonFields | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.problem(key, "is not an object");
    return new JsonFields(this.document, `${this.path}${key}.`, value);
  }

  requiredObject(key: string): JsonFields {
    return this.object(key) ?? this.missing(key);
  }

  objects(key: string): JsonFields[] | undefined {
    return this.array(key)?.map((value, index) => {
      if (!isObject(value)) throw this.problem(`${key}[${index}]`, "is not an object");
      return new JsonFields(this.document, `${this.path}${key}[${index}].`, value);
    });
  }

  requiredObjects(key: string): JsonFields[] {
    return this.objects(key) ?? this.missing(key);
  }

  strings(key: string): string[] | undefined {
    return this.array(key)?.map((value, index) => {
      if (typeof value !== "string") throw this.problem(`${key}[${index}]`, "is not a string");
      return value;
    });
  }

  stringMap(key: string): Record<string, string> | undefined {
    return this.map(key, (value, name) => {
      if (typeof value !== "string") throw this.problem(`${key}["${name}"]`, "is not a string");
      return value;
    });
  }

  /** A set in Go's spelling: `{"8080/tcp": {}}`. */
  set(key: string): Record<string, object> | undefined {
    return this.map(key, () => ({}));
  }

  /** The error for a field of this object. */
  problem(key: string, cause: string): PlatformError {
    return invalidParameter(`${this.document}: ${this.path}${key} ${cause}`, { code: "json.field" });
  }

  private missing(key: string): never {
    throw this.problem(key, "is missing");
  }

  private get(key: string): unknown {
    return Object.hasOwn(this.fields, key) ? (this.fields[key] ?? undefined) : undefined;
  }

  private array(key: string): unknown[] | undefined {
    const value = this.get(key);
    if (value !== undefined && !Array.isArray(value)) throw this.problem(key, "is not a list");
    return value;
  }

  private map<T>(key: string, read: (value: unknown, name: string) => T): Record<string, T> | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.problem(key, "is not an object");
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, read(inner, name)]));
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Drops the fields that are undefined, as `exactOptionalPropertyTypes` wants absent ones to be absent. */
export function definedOnly<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
