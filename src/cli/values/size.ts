const exponents: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * `256m`, `1.5g`, `512KiB`, plain bytes: a number with an optional unit of base 1024, as Docker's flags take it.
 * Out: whole bytes. Errors: Error `invalid size: 'X'`.
 */
export function parseSize(raw: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(raw);
  const exponent = exponents[(match?.[2] ?? "").toLowerCase()];
  if (match?.[1] === undefined || exponent === undefined) throw new Error(`invalid size: '${raw}'`);
  const bytes = Math.trunc(Number(match[1]) * 1024 ** exponent);
  if (!Number.isSafeInteger(bytes)) throw new Error(`invalid size: '${raw}'`);
  return bytes;
}

/** The same, where -1 means unlimited (`--memory-swap`). */
export function parseSizeOrUnlimited(raw: string): number {
  return raw === "-1" ? -1 : parseSize(raw);
}
