const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go's duration syntax, `1h30m`, `1.5s`, `-2m`. Out: nanoseconds; undefined when it is none. */
export function parseDurationNs(raw: string): number | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h)|\.\d+(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(raw);
  if (match?.[2] === undefined) return undefined;
  let total = 0;
  for (const [, number, unit] of match[2].matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(number) * (nanoseconds[unit ?? ""] ?? 0);
  }
  return match[1] === "-" ? -total : total;
}
