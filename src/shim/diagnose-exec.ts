import { basename, dirname, join } from "node:path/posix";
import { PlatformError } from "../errors/platform-error.ts";
import { type ElfHeader, parseElf } from "./elf-header.ts";

/** What is known of one file below the container's root; links were followed inside the root. */
export interface ProgramFile {
  readonly kind: "file" | "directory" | "other";
  /** Permission bits. */
  readonly mode: number;
  /** The first bytes: at least 4096 of them, or the whole file. */
  readonly head: Uint8Array;
}

/** Opens a file below the container's root by its absolute path inside; undefined when it is missing. */
export type OpenProgram = (path: string) => ProgramFile | undefined;

/** process.arch of the machine, as ELF's e_machine and in words. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const machineNames: Readonly<Record<number, string>> = {
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};
/** Programs of these run on a 64-bit machine of the other kind's family too. */
const compatible: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };
const MAX_INTERPRETERS = 4;

/**
 * Says why the kernel could not execute a program that exists: exec answers ENOENT, ENOEXEC or EACCES for causes as different
 * as a missing dynamic linker, a script from Windows and an image for another processor.
 *
 * In:  `name` as the user wrote it; `path` where it was found, absolute inside the container.
 * Out: an error with runc's prefix `exec: "NAME": …` and a code `exec.…`; undefined when nothing is wrong with the file.
 */
export function diagnoseExec(
  name: string,
  path: string,
  open: OpenProgram,
  arch: string = process.arch,
): PlatformError | undefined {
  const cause = examine(path, open, arch, 0);
  if (cause === undefined) return undefined;
  const message = `exec: ${JSON.stringify(name)}: ${cause.text}`;
  return new PlatformError("InvalidParameter", message, { code: cause.code, hint: cause.hint });
}

interface Cause {
  readonly code: string;
  readonly text: string;
  readonly hint?: string;
}

function examine(path: string, open: OpenProgram, arch: string, depth: number): Cause | undefined {
  const file = open(path);
  if (file === undefined) return { code: "exec.not-found", text: `stat ${path}: no such file or directory` };
  if (file.kind === "directory") return { code: "exec.is-directory", text: "is a directory" };
  if (file.kind !== "file" || (file.mode & 0o111) === 0) return notExecutable(path);
  if (file.head.length === 0) return { code: "exec.bad-format", text: `exec format error: ${path} is empty` };
  if (startsWith(file.head, "#!")) return examineScript(path, file.head, open, arch, depth);
  const elf = parseElf(file.head);
  return elf ? examineElf(path, elf, open, arch, depth) : unknownFormat(path, file.head);
}

function notExecutable(path: string): Cause {
  return {
    code: "exec.not-executable",
    text: "permission denied",
    hint: `${path} is not executable: chmod +x it in the image`,
  };
}

function unknownFormat(path: string, head: Uint8Array): Cause {
  const isText = head.subarray(0, 256).every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
  return {
    code: "exec.bad-format",
    text: "exec format error",
    hint: isText
      ? `${path} is text without an interpreter: its first line has to be like #!/bin/sh`
      : `${path} is neither an ELF program nor a script`,
  };
}

function examineScript(
  path: string,
  head: Uint8Array,
  open: OpenProgram,
  arch: string,
  depth: number,
): Cause | undefined {
  const end = head.indexOf(0x0a);
  const line = Buffer.from(head.subarray(2, end < 0 ? head.length : end)).toString("latin1");
  const words = line
    .replace(/\r$/, "")
    .trim()
    .split(/[ \t]+/);
  const interpreter = words[0] ?? "";
  if (line.endsWith("\r")) {
    return {
      code: "exec.crlf",
      text: `${path} ends its first line with CR LF: the kernel looks for ${JSON.stringify(`${words.at(-1)}\r`)}`,
      hint: `convert ${basename(path)} to Unix line ends (dos2unix, or git config core.autocrlf input)`,
    };
  }
  if (interpreter === "")
    return { code: "exec.bad-format", text: `exec format error: ${path} names no interpreter` };
  return examineInterpreter(path, interpreter, open, arch, depth);
}

function examineElf(
  path: string,
  elf: ElfHeader,
  open: OpenProgram,
  arch: string,
  depth: number,
): Cause | undefined {
  if (!(compatible[arch] ?? []).includes(elf.machine) && machines[arch] !== undefined) {
    const own = machineNames[machines[arch] ?? 0] ?? arch;
    const other = machineNames[elf.machine] ?? `machine ${elf.machine}`;
    return {
      code: "exec.wrong-architecture",
      text: `exec format error: ${path} is built for ${other}, this machine is ${own}`,
      hint: `pull the image for linux/${own} (--platform)`,
    };
  }
  return elf.interpreter === undefined
    ? undefined
    : examineInterpreter(path, elf.interpreter, open, arch, depth);
}

function examineInterpreter(
  path: string,
  interpreter: string,
  open: OpenProgram,
  arch: string,
  depth: number,
): Cause | undefined {
  const absolute = interpreter.startsWith("/") ? interpreter : join(dirname(path), interpreter);
  if (open(absolute) === undefined) {
    return {
      code: "exec.interpreter-missing",
      text: `no such file or directory: ${path} needs the interpreter ${interpreter}, which the image does not have`,
      hint: /\/ld-(musl|linux)/.test(interpreter)
        ? "the program is linked for another C library: build it statically, or use an image that has this one"
        : `install ${basename(interpreter)} in the image`,
    };
  }
  return depth < MAX_INTERPRETERS ? examine(absolute, open, arch, depth + 1) : undefined;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString("latin1") === text;
}
