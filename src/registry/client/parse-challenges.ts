/** One way in which a server asks for credentials: RFC 9110, "WWW-Authenticate". */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`^(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`);
const scheme = new RegExp(`^(${token})(?=\\s|,|$)`);

/**
 * Parses a WWW-Authenticate header. It can hold several challenges (several headers arrive as one, joined by
 * commas), and quoted values can hold commas. What cannot be understood ends the list.
 */
export function parseChallenges(header: string | null): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header ?? "";
  while (true) {
    rest = rest.replace(/^[\s,]+/, "");
    const pair = parameter.exec(rest);
    const current = challenges.at(-1);
    if (pair && current) {
      const [whole, name = "", quoted, plain = ""] = pair;
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? plain;
      rest = rest.slice(whole.length);
      continue;
    }
    const [name] = scheme.exec(rest) ?? [];
    if (name === undefined) return challenges;
    challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    rest = rest.slice(name.length);
  }
}
