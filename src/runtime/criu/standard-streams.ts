import { fstatSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import { S_IFMT, S_IFREG } from "../../kernel/files.ts";

/** Beside the images: what the standard streams of the first process were, as runc keeps it. */
const descriptorsFile = "descriptors.json";

const standardStreams = [0, 1, 2];

/**
 * Names for criu of the standard streams of this process: `pipe:[5]`, or `file[1c:2f]` (mount and inode) for a file. Others are
 * named by their path, and mean nothing to it.
 */
export const nameStreams = (): string[] =>
  standardStreams.map((fd) => {
    const { ino, mode } = fstatSync(fd);
    const isRegular = (mode & S_IFMT) === S_IFREG;
    return isRegular ? `file[${mountOf(fd)}:${ino.toString(16)}]` : readlinkSync(`/proc/self/fd/${fd}`);
  });

function mountOf(fd: number): string {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return Number(/^mnt_id:\s*(\d+)$/m.exec(info)?.[1]).toString(16);
}

/** Files that criu has to be told of. */
export const externalFiles = (streams: readonly string[]): string[] => [
  ...new Set(streams.filter((name) => name.startsWith("file["))),
];

/** Which stream of the caller takes the place of what the process had; two of the same are one. */
export const inheritedStreams = (streams: readonly string[]): { key: string; fd: number }[] =>
  streams.flatMap((key, fd) =>
    /^(pipe:|socket:|file)\[/.test(key) && streams.indexOf(key) === fd ? [{ key, fd }] : [],
  );

export function saveStreams(images: string, streams: readonly string[]): void {
  writeFileSync(join(images, descriptorsFile), JSON.stringify(streams), { mode: 0o600 });
}

/** Errors: System without the file, or for one that is damaged. */
export function readStreams(images: string): string[] {
  const path = join(images, descriptorsFile);
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(value)) return value.map(String);
  } catch (cause) {
    throw systemError(`read ${path}: ${messageOf(cause)}`, {
      cause,
      hint: "--image-path is the directory that `checkpoint` wrote",
    });
  }
  throw systemError(`${path} is damaged`);
}
