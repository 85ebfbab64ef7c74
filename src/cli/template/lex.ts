/** Splits a Go text/template into literal text and the tokens of its actions. */
export type Token =
  /** `glued`: no space before the dot, so that it belongs to the operand before: `$x.Name`. */
  | { readonly kind: "field"; readonly name: string; readonly glued: boolean }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "word"; readonly name: string }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "symbol"; readonly value: "|" | "(" | ")" | "." | ":=" | "=" | "," };

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** Errors: TemplateError. Spec: Go text/template, "Text and spaces", "Actions". */
export function lexTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = source;
  let trimNext = false;
  for (;;) {
    const open = rest.indexOf("{{");
    let text = open < 0 ? rest : rest.slice(0, open);
    if (trimNext) text = text.trimStart();
    if (open < 0) {
      if (text !== "") pieces.push({ kind: "text", text });
      return pieces;
    }
    const { body, after, trimBefore, trimAfter } = cutAction(rest.slice(open + 2));
    if (trimBefore) text = text.trimEnd();
    if (text !== "") pieces.push({ kind: "text", text });
    if (!body.startsWith("/*")) pieces.push({ kind: "action", tokens: lexAction(body) });
    rest = after;
    trimNext = trimAfter;
  }
}

function cutAction(source: string) {
  const trimBefore = /^-\s/.test(source);
  const start = trimBefore ? 1 : 0;
  const end = endOfAction(source, start);
  const raw = source.slice(start, end);
  const trimAfter = /\s-$/.test(raw);
  const body = (trimAfter ? raw.slice(0, -1) : raw).trim();
  return { body, after: source.slice(end + 2), trimBefore, trimAfter };
}

/** Where `}}` stands, not counting the ones inside strings. */
function endOfAction(source: string, start: number): number {
  const pattern = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}/g;
  pattern.lastIndex = start;
  for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
    if (match[0] === "}}") return match.index;
  }
  throw new TemplateError("unclosed action");
}

const tokenPattern =
  /\s+|"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?)|(\$\w*)|\.([\p{L}_][\p{L}\p{N}_]*)|([\p{L}_][\p{L}\p{N}_]*)|(:=|[|().,=])/uy;

function lexAction(body: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < body.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(body);
    if (match === null) throw new TemplateError(`unexpected ${JSON.stringify(body[at])} in operand`);
    const token = tokenOf(match, /[\p{L}\p{N}_)$]/u.test(body[at - 1] ?? " "));
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

function tokenOf(match: RegExpExecArray, glued: boolean): Token | undefined {
  const [, quoted, raw, number, variable, field, word, symbol] = match;
  if (quoted !== undefined) return { kind: "string", value: unquote(quoted) };
  if (raw !== undefined) return { kind: "string", value: raw };
  if (number !== undefined) return { kind: "number", value: Number(number) };
  if (variable !== undefined) return { kind: "variable", name: variable };
  if (field !== undefined) return { kind: "field", name: field, glued };
  if (word !== undefined) return { kind: "word", name: word };
  // The pattern lets only these symbols through.
  if (symbol !== undefined) return { kind: "symbol", value: symbol as "|" };
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" };

function unquote(text: string): string {
  return text.replace(/\\(.)/g, (whole, letter: string) => escapes[letter] ?? whole);
}
