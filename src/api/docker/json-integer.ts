/** Not in TypeScript's library yet: proposal "JSON.parse source text access". */
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** A value that JSON.stringify writes digit by digit, also beyond 2^53. */
export const jsonInteger = (value: bigint): unknown => JSON.rawJSON(value.toString());
