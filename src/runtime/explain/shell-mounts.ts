import type { KernelStep, MountAttributes } from "../../kernel/steps.ts";
import { mountAttributeNames, propagationWord } from "./flag-names.ts";
import { quote } from "./shell-words.ts";

type StepOf<Op extends KernelStep["op"]> = Extract<KernelStep, { op: Op }>;

/**
 * Functions of the script which the commands below use. `target` resolves a path of the container into `$t`: a shell cannot
 * resolve beneath a root as openat2(2) does, so that a symbolic link on the way is refused rather than followed to the host.
 */
export const mountFunctions = `fail() { echo "$0: $*" >&2; exit 1; }
# target PATH [directory|file]: the container's PATH as $t, made if it is missing and the kind is given
target() {
  t=$root$1
  [ "$(realpath -m -- "$t")" = "$t" ] || fail "$1: a symbolic link of the image leads elsewhere"
  case \${2-} in
    directory) mkdir -p -- "$t" ;;
    file) mkdir -p -- "\${t%/*}"; [ -e "$t" ] || : > "$t" ;;
  esac
}
# change OPTIONS: of the mount at $t alone, not of its file system
change() { mount -o "remount,bind,$(findmnt -nro VFS-OPTIONS --mountpoint "$t" | tail -n 1),$1" "$t"; }
# change_all OPTIONS: of the mount at $t and of those below it
change_all() { options=$1; findmnt -nlRo TARGET "$t" | while IFS= read -r t; do change "$options"; done; }
# hide PATH: an empty directory or the null device over it; protect PATH: read-only
hide() {
  target "$1"
  if [ -d "$t" ]; then mount -t tmpfs -o nosuid,nodev,noexec tmpfs "$t"; change ro
  elif [ -e "$t" ]; then mount --bind "$root/dev/null" "$t"; fi
}
protect() { target "$1"; if [ -e "$t" ]; then mount --rbind "$t" "$t"; change ro; fi; }`;

export function mountCommands(step: StepOf<"mount">): string[] {
  const readOnly = (step.attributes & 1) !== 0;
  const takesMode = step.fstype === "tmpfs" && !step.data.some((option) => option.startsWith("mode="));
  const words = [...optionWords(step.attributes & ~1), ...step.data];
  const options = `${words.length > 0 || takesMode ? ` -o ${quote(words.join(",") || "rw")}` : ""}${takesMode ? '"$mode"' : ""}`;
  const mount = `mount -t ${quote(step.fstype)}${options} -- ${quote(step.source)} "$t"`;
  return [
    ...(takesMode
      ? [`target ${quote(step.target)}; mode=; [ ! -d "$t" ] || mode=,mode=$(stat -c %a "$t")`]
      : []),
    `target ${quote(step.target)} directory`,
    ...(step.copyUp === true
      ? ['exec 5< "$t"', mount, 'cp -a /proc/self/fd/5/. "$t"', "exec 5<&-"]
      : [mount]),
    ...(readOnly ? ["change ro"] : []),
  ];
}

/** Files that the engine makes only when it starts a container may be missing when the script runs. */
export function bindCommands(step: StepOf<"bind">): string[] {
  const source = quote(step.source);
  const options = changeWords(step.attributes).join(",");
  const commands = [
    `target ${quote(step.target)} ${step.targetKind}`,
    `mount ${step.recursive ? "--rbind" : "--bind"} -- ${source} "$t"`,
    ...(options === "" ? [] : [`${step.attributesRecursive ? "change_all" : "change"} ${options}`]),
    ...(step.propagation === 0 ? [] : [`mount --make-${propagationWord(step.propagation)} "$t"`]),
    ...(step.idMap === undefined
      ? []
      : ["# NOT DONE: mapped ids; mount(8) of util-linux 2.38 has no option for them"]),
  ];
  // The cgroups of version 1: the script itself has made them.
  if (step.source.startsWith("/sys/fs/cgroup/")) return commands;
  return [
    `if [ -e ${source} ]; then`,
    ...commands.map((line) => `  ${line}`),
    `else echo "$0: left out, missing on the host: "${source} >&2; fi`,
  ];
}

export const remountCommands = ({ target, attributes, recursive }: StepOf<"remount">): string[] => [
  `target ${quote(target)}; ${recursive ? "change_all" : "change"} ${changeWords(attributes).join(",")}`,
];

/** Options of mount(8) for MOUNT_ATTR_* bits. */
const optionWords = (bits: number): string[] =>
  mountAttributeNames
    .filter(([bit]) => bits & bit)
    .map(([bit, name]) => (bit === 1 ? "ro" : name.toLowerCase()));

const opposites: Readonly<Record<string, string>> = {
  ro: "rw",
  nosuid: "suid",
  nodev: "dev",
  noexec: "exec",
  noatime: "atime",
  nodiratime: "diratime",
  strictatime: "nostrictatime",
};

const changeWords = ({ set, clear }: MountAttributes): string[] => [
  ...optionWords(clear & ~set).flatMap((word) => opposites[word] ?? []),
  ...optionWords(set),
];
