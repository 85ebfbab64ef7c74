/** The other direction of `parseJsonExactly`: integers beyond 2^53 are bigints. */
export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (_key, element: unknown) =>
    typeof element === "bigint" ? rawJson(element.toString()) : element,
  );
}

/** JSON.rawJSON, which TypeScript's library does not declare yet. */
const rawJson = (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON;
