import { invalidParameter } from "../../errors/platform-error.ts";
import type { UnitProperty } from "../../kernel/systemd/service-manager.ts";
import { parseGVariant } from "./gvariant-text.ts";

export const propertyAnnotation = "org.systemd.property.";

/**
 * What annotations `org.systemd.property.NAME` say of the unit, in GVariant's text format. Pure.
 *
 * A NAME in seconds (`TimeoutStopSec`) is what unit files have; D-Bus has it in microseconds, as `TimeoutStopUSec`.
 * Errors: InvalidParameter naming the annotation.
 */
export function annotationProperties(annotations: Readonly<Record<string, string>>): UnitProperty[] {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(propertyAnnotation))
    .map(([key, text]) => propertyOf(key, text));
}

function propertyOf(key: string, text: string): UnitProperty {
  const name = key.slice(propertyAnnotation.length);
  const place = `annotations.${key}`;
  if (!/^[A-Z][A-Za-z]{2,}$/.test(name)) throw invalidParameter(`${place}: is no name of a unit's property`);
  const { signature, value } = parseGVariant(text, place);
  if (!/Sec$/.test(name) || /USec$/.test(name)) return { name, signature, value };
  if ((typeof value !== "number" && typeof value !== "bigint") || value < 0)
    throw invalidParameter(`${place}: ${text} is no number of seconds`);
  return { name: name.replace(/Sec$/, "USec"), signature: "t", value: microseconds(value) };
}

const microseconds = (seconds: number | bigint): bigint =>
  typeof seconds === "bigint" ? seconds * 1_000_000n : BigInt(Math.round(seconds * 1e6));
