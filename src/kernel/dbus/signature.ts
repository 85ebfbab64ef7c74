import { invalidParameter } from "../../errors/platform-error.ts";

/** A single complete type. A dict entry is a struct of two fields: on the wire they are the same. */
export type DBusType =
  | { readonly kind: "basic"; readonly code: BasicCode }
  | { readonly kind: "variant" }
  | { readonly kind: "array"; readonly element: DBusType }
  | { readonly kind: "struct"; readonly fields: readonly DBusType[] };

const basicCodes = ["y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g"] as const;
export type BasicCode = (typeof basicCodes)[number];

const maximumBytes = 255;
const maximumDepth = 64;

/**
 * The complete types that a signature lists: `sa(sv)` is two of them. Pure.
 *
 * Errors: InvalidParameter for a malformed one.
 * Spec:   D-Bus Specification, "Type System", "Valid Signatures". Descriptors (`h`) are not passed.
 */
export function parseSignature(signature: string): DBusType[] {
  if (signature.length > maximumBytes) throw malformed(signature);
  const parser = new SignatureParser(signature);
  const types: DBusType[] = [];
  while (!parser.atEnd) types.push(parser.completeType(0));
  return types;
}

const malformed = (signature: string) =>
  invalidParameter(`${JSON.stringify(signature)} is no signature of D-Bus types`);

class SignatureParser {
  #at = 0;

  constructor(private readonly signature: string) {}

  get atEnd(): boolean {
    return this.#at >= this.signature.length;
  }

  completeType(depth: number): DBusType {
    if (depth > maximumDepth) throw malformed(this.signature);
    const code = this.signature[this.#at++] ?? "";
    if (code === "v") return { kind: "variant" };
    if (code === "a") return { kind: "array", element: this.element(depth + 1) };
    if (code === "(") return { kind: "struct", fields: this.fieldsUpTo(")", depth + 1) };
    if (!isBasic(code)) throw malformed(this.signature);
    return { kind: "basic", code };
  }

  /** Dict entries occur as elements of arrays only: a basic key and any value. */
  private element(depth: number): DBusType {
    if (this.signature[this.#at] !== "{") return this.completeType(depth);
    this.#at++;
    const fields = this.fieldsUpTo("}", depth);
    if (fields.length !== 2 || fields[0]?.kind !== "basic") throw malformed(this.signature);
    return { kind: "struct", fields };
  }

  private fieldsUpTo(end: string, depth: number): DBusType[] {
    const fields: DBusType[] = [];
    while (this.signature[this.#at] !== end) fields.push(this.completeType(depth));
    this.#at++;
    if (fields.length === 0) throw malformed(this.signature);
    return fields;
  }
}

const isBasic = (code: string): code is BasicCode => (basicCodes as readonly string[]).includes(code);

const alignments: Readonly<Record<BasicCode, number>> = {
  y: 1,
  g: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  x: 8,
  t: 8,
  d: 8,
};

/** Bytes of which a value's position is a multiple. Spec: "Marshaling", "Summary of D-Bus marshaling". */
export function alignmentOf(type: DBusType): number {
  if (type.kind === "basic") return alignments[type.code];
  return type.kind === "variant" ? 1 : type.kind === "array" ? 4 : 8;
}
