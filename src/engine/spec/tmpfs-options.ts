import { invalidParameter } from "../../errors/platform-error.ts";
import type { TmpfsOptions } from "./docker-config.ts";

/** Words that say the opposite: the later one wins. */
const opposites = [
  ["ro", "rw"],
  ["nosuid", "suid"],
  ["nodev", "dev"],
  ["noexec", "exec"],
  ["sync", "async"],
  ["noatime", "atime"],
  ["nodiratime", "diratime"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
  ["mand", "nomand"],
] as const;

const group = new Map<string, string>(
  opposites.flatMap(([on, off]) => [
    [on, on],
    [off, on],
  ]),
);
const single = new Set([
  "dirsync",
  "private",
  "rprivate",
  "shared",
  "rshared",
  "slave",
  "rslave",
  "defaults",
]);
const withValue = new Set(["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"]);

/**
 * A user's options over Docker's own (noexec, nosuid, nodev, rprivate).
 * Errors: InvalidParameter for an option that tmpfs(5) does not have.
 */
export function mergeTmpfsOptions(own: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const option of ["noexec", "nosuid", "nodev", "rprivate", ...own]) {
    const key = keyOf(option);
    if (key === undefined) throw invalidParameter(`invalid tmpfs option ${JSON.stringify(option)}`);
    merged.set(key, option);
  }
  return [...merged.values()];
}

function keyOf(option: string): string | undefined {
  const [name = "", value] = option.split("=", 2);
  if (value !== undefined) return withValue.has(name) && value !== "" ? name : undefined;
  return group.get(option) ?? (single.has(option) ? option : undefined);
}

/** The fields of `--mount type=tmpfs` as options. */
export function tmpfsMountOptions(
  { SizeBytes = 0, Mode = 0, Options = [] }: TmpfsOptions,
  readOnly: boolean,
): string[] {
  return [
    ...(SizeBytes > 0 ? [`size=${SizeBytes}`] : []),
    ...(Mode > 0 ? [`mode=${Mode.toString(8)}`] : []),
    ...Options.map((words) => words.join("=")),
    ...(readOnly ? ["ro"] : []),
  ];
}
