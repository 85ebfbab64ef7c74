import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";

/**
 * Gives an embedded file a path of its own that the kernel can execute or the dynamic loader can map:
 * `DIRECTORY/NAME-HASH`, written once (aside, then renamed) and checked at every later call, so that
 * two versions of gantry live side by side and a damaged or foreign file is replaced.
 *
 * In:     `source` as the import of an embedded file gives it; `directory` is made when missing (0755).
 * Out:    the absolute path; mode 0755, owned by the caller, the content equal to the embedded one.
 * Errors: System when the directory cannot be written.
 */
export function installEmbedded(source: string, name: string, directory: string): string {
  const content = readFileSync(source);
  const hash = createHash("sha256").update(content).digest("hex");
  const path = join(directory, `${name}-${hash.slice(0, 16)}`);
  if (isIntact(path, content)) return path;
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    writeFileSync(draft, content, { flag: "wx", mode: 0o755 });
    chmodSync(draft, 0o755); // the umask does not apply to what others have to execute
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw systemError(`install ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: "gantry keeps its helper and addon in the state directory; choose a writable one with --state",
    });
  }
  return path;
}

/** A regular file of ours that nobody else may write, with exactly this content. */
function isIntact(path: string, content: Uint8Array): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const trusted = found.isFile() && found.uid === process.getuid?.() && (found.mode & 0o777) === 0o755;
  return trusted && found.size === content.length && readFileSync(path).equals(content);
}
