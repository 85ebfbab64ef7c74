import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { diagnoseExec, type ProgramFile } from "./diagnose-exec.ts";
import { parseElf } from "./elf-header.ts";

const text = (content: string, mode = 0o755): ProgramFile => ({
  kind: "file",
  mode,
  head: Buffer.from(content),
});
const binary = (head: Uint8Array): ProgramFile => ({ kind: "file", mode: 0o755, head });

/** A minimal ELF header with one program header. */
function elf(options: { machine: number; interpreter?: string; bits?: 32 | 64; big?: boolean }): Uint8Array {
  const bytes = Buffer.alloc(256);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !options.big;
  const is64 = options.bits !== 32;
  const word = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, value, little);
  view.setUint32(0, 0x7f454c46);
  bytes[4] = is64 ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  view.setUint16(18, options.machine, little);
  word(is64 ? 32 : 28, 64);
  view.setUint16(is64 ? 54 : 42, is64 ? 56 : 32, little);
  view.setUint16(is64 ? 56 : 44, options.interpreter === undefined ? 0 : 1, little);
  if (options.interpreter !== undefined) {
    view.setUint32(64, 3, little);
    word(64 + (is64 ? 8 : 4), 160);
    word(64 + (is64 ? 32 : 16), options.interpreter.length + 1);
    bytes.write(options.interpreter, 160);
  }
  return bytes;
}

function diagnose(files: Record<string, ProgramFile>, path = "/app") {
  return diagnoseExec("app", path, (name) => files[name], "x64");
}

describe("diagnoseExec", () => {
  test("a script whose interpreter is missing names it", () => {
    const error = diagnose({ "/app": text("#!/usr/bin/env bash\n") });
    expect(error?.code).toBe("exec.interpreter-missing");
    expect(error?.message).toBe(
      'exec: "app": no such file or directory: /app needs the interpreter /usr/bin/env, which the image does not have',
    );
  });

  test("a program whose dynamic linker is missing names it", () => {
    const error = diagnose({
      "/app": binary(elf({ machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2" })),
    });
    expect(error?.code).toBe("exec.interpreter-missing");
    expect(error?.message).toContain("/lib64/ld-linux-x86-64.so.2");
    expect(error?.hint).toContain("another C library");
  });

  test("CR LF in the first line", () => {
    const error = diagnose({
      "/app": text("#!/bin/sh\r\necho hi\r\n"),
      "/bin/sh": binary(elf({ machine: 62 })),
    });
    expect(error?.code).toBe("exec.crlf");
    expect(error?.message).toContain('the kernel looks for "/bin/sh\\r"');
  });

  test.each([
    [183, "arm64"],
    [243, "riscv64"],
    [999, "machine 999"],
  ])("a program for machine %p", (machine, name) => {
    const error = diagnose({ "/app": binary(elf({ machine })) });
    expect(error?.code).toBe("exec.wrong-architecture");
    expect(error?.message).toBe(
      `exec: "app": exec format error: /app is built for ${name}, this machine is amd64`,
    );
  });

  test("the interpreter itself may be of the wrong architecture", () => {
    const error = diagnose({ "/app": text("#!/bin/sh\n"), "/bin/sh": binary(elf({ machine: 183 })) });
    expect(error?.message).toContain("/bin/sh is built for arm64");
  });

  test("a big-endian 32-bit program is read as well", () => {
    const file = elf({ machine: 20, bits: 32, big: true, interpreter: "/lib/ld.so.1" });
    expect(parseElf(file)).toEqual({ machine: 20, interpreter: "/lib/ld.so.1" });
  });

  test("a file without permission, a directory, a missing file", () => {
    expect(diagnose({ "/app": text("#!/bin/sh\n", 0o644) })?.code).toBe("exec.not-executable");
    expect(diagnose({ "/app": { kind: "directory", mode: 0o755, head: new Uint8Array() } })?.code).toBe(
      "exec.is-directory",
    );
    expect(diagnose({})?.message).toBe('exec: "app": stat /app: no such file or directory');
  });

  test("text without #!, an empty file and other formats", () => {
    expect(diagnose({ "/app": text("echo hi\n") })?.hint).toContain("#!/bin/sh");
    expect(diagnose({ "/app": text("") })?.message).toContain("is empty");
    expect(diagnose({ "/app": binary(Buffer.from("MZ\0\x01")) })?.hint).toContain("neither an ELF program");
    expect(diagnose({ "/app": text("#!\n") })?.message).toContain("names no interpreter");
  });

  test("nothing is said of a program that is fine", () => {
    const files = {
      "/app": text("#!/bin/sh -e\n"),
      "/bin/sh": binary(elf({ machine: 62, interpreter: "/lib/ld.so" })),
      "/lib/ld.so": binary(elf({ machine: 62 })),
    };
    expect(diagnose(files)).toBeUndefined();
  });

  test("interpreters in a circle end", () => {
    expect(diagnose({ "/app": text("#!/app\n") })).toBeUndefined();
  });

  test("a cut-off header is no reason to fail", () => {
    const whole = elf({ machine: 62, interpreter: "/lib/ld.so" });
    for (let length = 0; length < whole.length; length++) parseElf(whole.subarray(0, length));
    expect(parseElf(readFileSync(process.execPath).subarray(0, 4096))?.interpreter).toMatch(/ld-/);
  });
});
