import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { command, mustRun } from "../fixtures/command.ts";
import { scratchDirectory } from "../fixtures/places.ts";
import type { GuestKernel } from "./guest-kernel.ts";

export interface InitramfsParts {
  readonly kernel: GuestKernel;
  /** Module names; what they depend on comes along. */
  readonly modules: readonly string[];
  /** Dynamically linked programs of the host, by their path in the guest; their libraries come along. */
  readonly programs: Readonly<Record<string, string>>;
  /** Programs of the host which do not come along, but whose libraries do. */
  readonly librariesOf: readonly string[];
  /** Other files: path in the guest → path on the host. */
  readonly files: Readonly<Record<string, string>>;
  /** The shell script that is the guest's first process once its root is one that can be left. */
  readonly init: string;
}

/**
 * Packs a whole small system into a cpio archive for `-initrd`. It is not compressed: an emulated processor
 * takes longer to inflate it than the emulator takes to hand it over.
 */
export async function packInitramfs(parts: InitramfsParts, archive: string): Promise<void> {
  const root = scratchDirectory("initramfs");
  try {
    chmodSync(root, 0o755);
    for (const name of ["bin", "dev", "etc", "lib", "proc", "run", "sys", "tmp", "var/lib", "newroot"])
      mkdirSync(join(root, name), { recursive: true });
    const put = (source: string, target: string) => {
      const path = join(root, target);
      mkdirSync(dirname(path), { recursive: true });
      copyFileSync(source, path);
    };
    put(Bun.which("busybox") ?? "/bin/busybox", "bin/busybox");
    symlinkSync("busybox", join(root, "bin/sh"));
    for (const [target, source] of Object.entries(parts.programs)) {
      put(source, target);
      chmodSync(join(root, target), 0o755);
      for (const library of await librariesOf(source)) put(library, library);
    }
    for (const program of parts.librariesOf)
      for (const library of await librariesOf(program)) put(library, library);
    for (const [target, source] of Object.entries(parts.files)) put(source, target);
    putModules(parts, put);
    writeScript(join(root, "init"), leaveRootfs);
    writeScript(join(root, "bin/guest-init"), parts.init);
    await mustRun(["sh", "-c", `find . | cpio --quiet -o -H newc > "$0"`, archive], { cwd: root });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * The root of an initramfs cannot be pivoted away from (pivot_root(2), "NOTES"), and no real machine runs containers
 * on it. So it is bound on itself, and that mount is the root from then on.
 */
const leaveRootfs = `#!/bin/sh
busybox mount -o bind / /newroot
cd /newroot
busybox mount -o move . /
exec busybox chroot . /bin/guest-init
`;

function writeScript(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o755 });
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await command(["ldd", program]); // it fails for a static one
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

function putModules(parts: InitramfsParts, put: (source: string, target: string) => void): void {
  const base = join("lib/modules", parts.kernel.release);
  const host = join(parts.kernel.modulesRoot, base);
  const dependencies = new Map(
    readFileSync(join(host, "modules.dep"), "utf8")
      .split("\n")
      .map((line) => line.split(":") as [string, string?])
      .map(([file, needs = ""]) => [moduleName(file), [file, ...needs.split(" ").filter(Boolean)]] as const),
  );
  for (const name of parts.modules)
    for (const file of dependencies.get(name) ?? []) put(join(host, file), join(base, file));
  for (const index of ["modules.dep", "modules.builtin", "modules.order"])
    if (existsSync(join(host, index))) put(join(host, index), join(base, index));
}

function moduleName(file: string): string {
  return basename(file, ".ko").replaceAll("-", "_");
}
