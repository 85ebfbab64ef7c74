import { renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileError } from "../../kernel/cgroup-files.ts";

/** Decimal, no newline; written aside and renamed, so that whoever sees the file sees all of it. */
export function writePidFile(path: string, pid: number): void {
  const draft = join(dirname(path), `.${basename(path)}`);
  try {
    writeFileSync(draft, String(pid), { mode: 0o666 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw fileError(error, `write pid file ${path}`);
  }
}
