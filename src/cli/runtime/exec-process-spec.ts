import { readFileSync } from "node:fs";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciCapabilities, OciProcess, OciUser } from "../../formats/oci-runtime.ts";
import { parseOciProcess } from "../../formats/parse-oci-runtime.ts";
import { fileError } from "../../kernel/cgroup-files.ts";
import type { FlagValues, ParsedFlags } from "../flags.ts";
import type { execFlags } from "./exec-flags.ts";

type Flags = FlagValues<typeof execFlags>;

/**
 * The process that `exec` asks for: the one of `--process`, or the container's own with what the flags change.
 * Errors: InvalidParameter naming the flag; System for a file that cannot be read.
 */
export function execProcessSpec(
  own: OciProcess,
  words: readonly string[],
  flags: Flags,
  given: ParsedFlags<typeof execFlags>["given"],
): OciProcess {
  if (flags.process !== undefined) return readProcessFile(flags.process);
  const { consoleSize: _, ...base } = own;
  return {
    ...base,
    args: words,
    terminal: flags.tty,
    env: [...(own.env ?? []), ...flags.env],
    cwd: flags.cwd || own.cwd,
    user: execUser(own.user ?? {}, flags),
    ...(flags.cap.length > 0 && { capabilities: withCapabilities(own.capabilities ?? {}, flags.cap) }),
    ...(flags.apparmor !== undefined && { apparmorProfile: flags.apparmor }),
    ...(flags["process-label"] !== undefined && { selinuxLabel: flags["process-label"] }),
    ...(given.has("no-new-privs") && { noNewPrivileges: flags["no-new-privs"] }),
  };
}

function readProcessFile(path: string): OciProcess {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw fileError(cause, `open ${path}`);
  }
  return parseOciProcess(text, path);
}

function execUser(own: OciUser, flags: Flags): OciUser {
  const additionalGids = [
    ...(own.additionalGids ?? []),
    ...flags["additional-gids"].map((id) => parseId(id, "-g")),
  ];
  if (flags.user === undefined) return { ...own, additionalGids };
  const [uid = "", gid, ...more] = flags.user.split(":");
  if (more.length > 0) throw invalidParameter(`--user ${flags.user}: is not UID[:GID]`);
  return {
    ...own,
    additionalGids,
    uid: parseId(uid, "--user"),
    ...(gid !== undefined && { gid: parseId(gid, "--user") }),
  };
}

/** Strictly decimal, and never what could be taken for -1 (CVE-2026-30892). */
function parseId(text: string, flag: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fff_ffff)
    throw invalidParameter(`${flag} ${text}: is no number of a user or group`);
  return Number(text);
}

/** Not inheritable: what it executes as another user would have them (CVE-2022-29162). */
function withCapabilities(own: OciCapabilities, names: readonly string[]): OciCapabilities {
  const added = names.map((name) => (name.startsWith("CAP_") ? name : `CAP_${name.toUpperCase()}`));
  const join = (set: readonly string[] | undefined) => [...new Set([...(set ?? []), ...added])];
  return {
    ...own,
    bounding: join(own.bounding),
    effective: join(own.effective),
    permitted: join(own.permitted),
  };
}
