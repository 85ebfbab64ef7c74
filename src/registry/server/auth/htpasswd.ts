import { createHash } from "node:crypto";
import { invalidParameter } from "../../../errors/platform-error.ts";

const bcryptHash = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
/** How much of a password bcrypt looks at. */
const bcryptBytes = 72;
/** Passwords that were right are remembered as hashes: bcrypt takes a tenth of a second on purpose. */
const maxRemembered = 1000;

/**
 * Users and their bcrypt hashes, as `htpasswd -B` writes them: `user:$2y$…`, `#` begins a comment.
 * Errors: InvalidParameter naming the line, for any other kind of hash.
 */
export function parseHtpasswd(text: string, name: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    const entry = line.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const colon = entry.indexOf(":");
    const hash = entry.slice(colon + 1);
    if (colon < 1) throw invalidParameter(`${name} line ${index + 1}: expected user:hash`);
    if (!bcryptHash.test(hash)) {
      throw invalidParameter(`${name} line ${index + 1}: not a bcrypt hash`, {
        hint: "make it with `htpasswd -B`; the other kinds can be broken by trying",
      });
    }
    users.set(entry.slice(0, colon), hash);
  }
  return users;
}

/** Checks names and passwords against an htpasswd file's users. */
export class BasicAuth {
  private readonly remembered = new Set<string>();

  constructor(private readonly users: ReadonlyMap<string, string>) {}

  /** Who sends an `Authorization: Basic` header; undefined when it proves nothing. */
  async userOf(authorization: string | undefined): Promise<string | undefined> {
    const given = parseBasic(authorization);
    return given && (await this.isRight(given.user, given.password)) ? given.user : undefined;
  }

  async isRight(user: string, password: string): Promise<boolean> {
    const hash = this.users.get(user);
    // An unknown user takes as long as a wrong password: nobody learns from the clock who exists.
    const tried = hash ?? this.users.values().next().value;
    if (tried === undefined) return false;
    const key = createHash("sha256").update(`${tried}\n${user}:${password}`).digest("base64");
    if (this.remembered.has(key)) return true;
    // Bun would hash a longer one first, which no other tool does.
    const counted = Buffer.from(password).subarray(0, bcryptBytes);
    const right = await Bun.password.verify(counted, tried).catch(() => false);
    if (!right || hash === undefined) return false;
    if (this.remembered.size >= maxRemembered) this.remembered.clear();
    this.remembered.add(key);
    return true;
  }

  /** Changes with the password; undefined for an unknown user. */
  passwordId(user: string): string | undefined {
    const hash = this.users.get(user);
    return hash && createHash("sha256").update(`${user}\n${hash}`).digest("base64url").slice(0, 22);
  }
}

function parseBasic(header: string | undefined): { user: string; password: string } | undefined {
  const [, token] = /^basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header ?? "") ?? [];
  if (token === undefined) return undefined;
  const text = Buffer.from(token, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
