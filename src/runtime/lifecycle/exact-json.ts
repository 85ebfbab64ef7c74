/** The other direction of `readJson`: integers beyond 2^53 are bigints. */
export function stringifyExactly(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return stringifyBigints(value); // which is slow, and needed for hardly any configuration
  }
}

function stringifyBigints(value: unknown): string {
  return JSON.stringify(value, (_key, element: unknown) =>
    typeof element === "bigint" ? rawJson(element.toString()) : element,
  );
}

/** JSON.rawJSON, which TypeScript's library does not declare yet. */
const rawJson = (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON;
