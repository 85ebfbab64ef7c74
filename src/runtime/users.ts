import { invalidParameter } from "../errors/platform-error.ts";

/** Whom a process runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one first (CVE-2022-36109: a process outside of its own group passes negative group permissions). */
  readonly additionalGids: readonly number[];
  readonly home: string;
}

/** The texts of the container's own /etc/passwd and /etc/group; empty for a missing file. */
export interface IdentityFiles {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number | undefined;
  readonly members: readonly string[];
}

/** As in Docker and runc: half of what 32 bits could hold, so that no id is ever taken for -1. */
const maximumId = 0x7fff_ffff;

/**
 * Resolves `USER[:GROUP]`, each a name or a decimal number, and further groups.
 *
 * Strict on both sides: a number is digits only and in range, a line of the files with a broken number has no number at all. Neither
 * falls back to 0, which would be root (CVE-2026-30892). Digits are always a number, as in Docker: an image that names its root
 * `1000` gets nothing from `--user 1000`. A number without an entry is fine, a name without one is not.
 * Errors: InvalidParameter in Docker's wording.
 */
export function resolveUser(user: string, groupAdd: readonly string[], files: IdentityFiles): ResolvedUser {
  const [userPart = "", groupPart, ...more] = user.split(":");
  if (more.length > 0) throw invalidParameter(`invalid user ${JSON.stringify(user)}: more than one colon`);
  const entry = findUser(userPart, files.passwd);
  const groups = parseGroup(files.group);
  const gid = groupPart === undefined || groupPart === "" ? entry.gid : findGroup(groupPart, groups);
  const memberships =
    groupPart === undefined || groupPart === ""
      ? groups.filter(({ members }) => entry.name !== undefined && members.includes(entry.name))
      : [];
  const additional = [
    gid,
    ...memberships.map((group) => requireGid(group)),
    ...groupAdd.map((name) => findGroup(name, groups)),
  ];
  return { uid: entry.uid, gid, additionalGids: [...new Set(additional)], home: entry.home };
}

function findUser(text: string, passwd: string) {
  const number = text === "" ? 0 : parseId(text);
  const matches = (entry: PasswdEntry) => (number === undefined ? entry.name === text : entry.uid === number);
  for (const entry of parsePasswd(passwd)) {
    if (!matches(entry)) continue;
    if (entry.uid === undefined || entry.gid === undefined)
      throw invalidParameter(`unable to use user ${entry.name}: its line in the passwd file is malformed`);
    return { name: entry.name, uid: entry.uid, gid: entry.gid, home: entry.home || "/" };
  }
  if (number === undefined)
    throw invalidParameter(`unable to find user ${text}: no matching entries in passwd file`);
  return { name: undefined, uid: number, gid: 0, home: "/" };
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const number = parseId(text);
  if (number !== undefined) return number;
  const named = groups.find(({ name }) => name === text);
  if (named === undefined)
    throw invalidParameter(`unable to find group ${text}: no matching entries in group file`);
  return requireGid(named);
}

function requireGid({ name, gid }: GroupEntry): number {
  if (gid === undefined)
    throw invalidParameter(`unable to use group ${name}: its line in the group file is malformed`);
  return gid;
}

/** The number that `text` is, or undefined for a name. Errors: InvalidParameter for a number out of range. */
function parseId(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) {
    if (/^[-+][0-9]+$/.test(text)) throw outOfRange();
    return undefined;
  }
  const value = Number(text);
  if (value > maximumId) throw outOfRange();
  return value;
}

const outOfRange = () => invalidParameter(`uids and gids must be in range 0-${maximumId}`);

/** passwd(5): name:password:UID:GID:GECOS:directory:shell. */
function* parsePasswd(text: string): Generator<PasswdEntry> {
  for (const line of dataLines(text)) {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    yield { name, uid: fileId(uid), gid: fileId(gid), home: home.startsWith("/") ? home : "" };
  }
}

/** group(5): name:password:GID:members. */
function parseGroup(text: string): GroupEntry[] {
  return dataLines(text).map((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return { name, gid: fileId(gid), members: members.split(",").filter(Boolean) };
  });
}

const dataLines = (text: string) =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !/[\0\r]/.test(line));

const fileId = (text: string) =>
  /^[0-9]{1,10}$/.test(text) && Number(text) <= maximumId ? Number(text) : undefined;
