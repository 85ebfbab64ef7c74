import { invalidParameter } from "../../errors/platform-error.ts";
import { ByteWriter } from "../byte-writer.ts";
import { alignmentOf, type BasicCode, type DBusType, parseSignature } from "./signature.ts";
import { type DBusValue, isVariant } from "./values.ts";

const maximumArrayBytes = 64 << 20;

/**
 * Values in the wire's form, little endian; its first byte stands at a multiple of 8. Pure.
 *
 * Errors: InvalidParameter for a value that is not of its type.
 * Spec:   D-Bus Specification, "Marshaling (Wire Format)".
 */
export function marshal(signature: string, values: readonly DBusValue[]): Uint8Array {
  const writer = new ByteWriter();
  writeAll(writer, parseSignature(signature), values);
  return writer.finish();
}

function writeAll(writer: ByteWriter, types: readonly DBusType[], values: readonly DBusValue[]): void {
  if (types.length !== values.length)
    throw invalidParameter(`${values.length} values for ${types.length} D-Bus types`);
  for (const [index, type] of types.entries()) write(writer, type, values[index] as DBusValue);
}

function write(writer: ByteWriter, type: DBusType, value: DBusValue): void {
  writer.align(alignmentOf(type));
  switch (type.kind) {
    case "basic":
      writeBasic(writer, type.code, value);
      break;
    case "variant":
      if (!isVariant(value)) throw mismatch("v", value);
      writeSignature(writer, value.signature);
      writeAll(writer, parseSignature(value.signature), [value.value]);
      break;
    case "array":
      writeArray(writer, type.element, value);
      break;
    case "struct":
      if (!Array.isArray(value)) throw mismatch("struct", value);
      writeAll(writer, type.fields, value);
      break;
  }
}

/** The length counts neither itself nor the padding in front of the first element. */
function writeArray(writer: ByteWriter, element: DBusType, value: DBusValue): void {
  const position = writer.length;
  writer.u32(0).align(alignmentOf(element));
  const start = writer.length;
  if (value instanceof Uint8Array) {
    if (element.kind !== "basic" || element.code !== "y") throw mismatch("array", value);
    writer.raw(value);
  } else if (Array.isArray(value)) {
    for (const item of value) write(writer, element, item);
  } else throw mismatch("array", value);
  const length = writer.length - start;
  if (length > maximumArrayBytes) throw invalidParameter("an array of D-Bus has at most 64 MiB");
  writer.setU32(position, length);
}

/** [bits, signed] */
const integers: Partial<Record<BasicCode, readonly [number, boolean]>> = {
  y: [8, false],
  n: [16, true],
  q: [16, false],
  i: [32, true],
  u: [32, false],
  x: [64, true],
  t: [64, false],
};

function writeBasic(writer: ByteWriter, code: BasicCode, value: DBusValue): void {
  const integer = integers[code];
  if (integer !== undefined) writeInteger(writer, code, integer, value);
  else if (code === "b" && typeof value === "boolean") writer.u32(value ? 1 : 0);
  else if (code === "d" && typeof value === "number") writer.f64(value);
  else if (code === "g" && typeof value === "string") writeSignature(writer, value);
  else if ((code === "s" || code === "o") && typeof value === "string") {
    if (code === "o" && !isObjectPath(value)) throw mismatch(code, value);
    writer.string(value);
  } else throw mismatch(code, value);
}

function writeInteger(
  writer: ByteWriter,
  code: BasicCode,
  [bits, signed]: readonly [number, boolean],
  value: DBusValue,
): void {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) throw mismatch(code, value);
  const wanted = BigInt(value as number | bigint);
  const unsigned = BigInt.asUintN(bits, wanted);
  if ((signed ? BigInt.asIntN(bits, wanted) : unsigned) !== wanted) throw mismatch(code, value);
  if (bits === 64) writer.u64(unsigned);
  else if (bits === 32) writer.u32(Number(unsigned));
  else if (bits === 16) writer.u16(Number(unsigned));
  else writer.u8(Number(unsigned));
}

function writeSignature(writer: ByteWriter, signature: string): void {
  parseSignature(signature);
  writer.u8(signature.length).raw(Buffer.from(signature)).u8(0);
}

/** "Valid Object Paths". */
const isObjectPath = (path: string) => /^\/$|^(\/[A-Za-z0-9_]+)+$/.test(path);

const mismatch = (type: string, value: DBusValue) =>
  invalidParameter(`${describe(value)} is no value of the D-Bus type ${type}`);

const describe = (value: DBusValue) =>
  typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "an object" : String(value);
