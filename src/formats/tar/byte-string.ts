/**
 * File names are bytes on Linux, not text. A byte string holds them without loss: each char code is one byte,
 * 0-255. For ASCII it is the text itself.
 */
export type ByteString = string;

export const bytesOf = (value: ByteString): Buffer => Buffer.from(value, "latin1");

/** The byte string of ordinary text, in UTF-8. */
export const byteString = (text: string): ByteString => Buffer.from(text, "utf8").toString("latin1");

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is where ASCII begins
export const isAscii = (value: ByteString): boolean => /^[\x00-\x7f]*$/.test(value);

/** For people: the bytes read as UTF-8. Not reversible when they are none. */
export const textOf = (value: ByteString): string =>
  isAscii(value) ? value : Buffer.from(value, "latin1").toString("utf8");

/** For messages: text in quotes, with control characters escaped, cut when it is very long. */
export function quoted(value: ByteString): string {
  const text = textOf(value);
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}
