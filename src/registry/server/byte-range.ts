/** `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that a `Range` header asks for, of content that has `size` bytes.
 *
 * Out:  undefined when the whole content is to be sent: no header, another unit, several ranges or bad grammar, all
 *       of which a server may ignore; "unsatisfiable" when nothing of it exists, or it ends before it begins.
 * Spec: RFC 9110, "Range Requests".
 */
export function parseByteRange(
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (start >= size || (last !== "" && Number(last) < start)) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/**
 * The `Content-Range` of an upload: `0-1023`, both inclusive, without a unit. Undefined for anything else.
 * Spec: distribution-spec, "Pushing a blob in chunks".
 */
export function parseChunkRange(header: string): ByteRange | undefined {
  const [, first, last] = /^(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Number(last) + 1 };
}

/** What an upload has received: `0-1023`; also `0-0` while there is nothing, as every registry says it. */
export function receivedRange(bytes: number): string {
  return `0-${Math.max(0, bytes - 1)}`;
}
