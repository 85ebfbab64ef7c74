/**
 * A value of D-Bus. 64-bit integers are bigint, other numbers number; `ay` is a Uint8Array, every other array, struct and dict
 * entry an array.
 */
export type DBusValue = boolean | number | bigint | string | Uint8Array | Variant | readonly DBusValue[];

/** A value that brings its type along (`v`). */
export interface Variant {
  /** One complete type. */
  readonly signature: string;
  readonly value: DBusValue;
}

export const variant = (signature: string, value: DBusValue): Variant => ({ signature, value });

export const isVariant = (value: DBusValue): value is Variant =>
  typeof value === "object" && "signature" in value;
