/** `HostConfig.Ulimits[]`; -1 is unlimited. */
export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** Names of setrlimit(2) as Docker's flag spells them. */
const names = new Set([
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
]);

/** `nofile=1024:2048`, `core=-1`. Errors: Error with Docker's wording. */
export function parseUlimit(raw: string): Ulimit {
  const match = /^([^=]+)=([^:]*)(?::([^:]*))?$/.exec(raw);
  if (match?.[1] === undefined) throw new Error(`invalid ulimit argument: ${raw}`);
  const [, name, softText = "", hardText] = match;
  if (!names.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const soft = parseLimit(softText);
  const hard = hardText === undefined ? soft : parseLimit(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Soft: soft, Hard: hard };
}

function parseLimit(text: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < -1) throw new Error(`${JSON.stringify(text)} is not a limit`);
  return value;
}
