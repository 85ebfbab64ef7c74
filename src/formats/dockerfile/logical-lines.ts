export type EscapeCharacter = "\\" | "`";

/**
 * The instructions of a Dockerfile, one for each element: comments and empty lines are gone, continued lines joined.
 * Spec: Dockerfile reference, "Format", "Escape".
 */
export function logicalLines(text: string, escapeWith: EscapeCharacter = "\\"): string[] {
  const continuation = escapeWith === "\\" ? /\\[ \t]*$/ : /`[ \t]*$/;
  const lines: string[] = [];
  let begun: string | undefined;
  for (const raw of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    // Inside a continued instruction too.
    if (/^\s*(#|$)/.test(raw)) continue;
    const line: string = begun === undefined ? raw.trimStart() : begun + raw;
    if (continuation.test(line)) {
      begun = line.replace(continuation, "");
      continue;
    }
    lines.push(line.trimEnd());
    begun = undefined;
  }
  if (begun !== undefined && begun.trim() !== "") lines.push(begun.trimEnd());
  return lines;
}
