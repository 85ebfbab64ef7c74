import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../fixtures/command.ts";
import { cacheDirectory } from "../fixtures/places.ts";

/** A kernel that is not installed anywhere: its image and its modules. */
export interface GuestKernel {
  readonly image: string;
  /** `6.1.0-56-cloud-amd64` */
  readonly release: string;
  /** Holds `lib/modules/RELEASE`, with modules.dep. */
  readonly modulesRoot: string;
}

/**
 * Debian's cloud kernel: a stock one, with all controllers of cgroup v2. Downloaded once, unpacked into the cache.
 * Undefined where no apt can bring it.
 */
export async function guestKernel(): Promise<GuestKernel | undefined> {
  const name = await packageName();
  if (name === undefined) return undefined;
  const directory = join(cacheDirectory(), name);
  if (!existsSync(directory)) await unpack(name, directory);
  const release = name.replace("linux-image-", "");
  return { image: join(directory, "boot", `vmlinuz-${release}`), release, modulesRoot: directory };
}

/** What the metapackage depends on: linux-image-VERSION-cloud-amd64. */
async function packageName(): Promise<string | undefined> {
  if (Bun.which("apt-cache") === null) return undefined;
  const find = async () => {
    const { stdout } = await command(["apt-cache", "depends", "linux-image-cloud-amd64"]);
    return /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  };
  const known = await find();
  if (known !== undefined) return known;
  await command(["apt-get", "update"], { timeoutMs: 120_000 });
  return find();
}

async function unpack(name: string, directory: string): Promise<void> {
  const draft = `${directory}.${process.pid}`;
  mkdirSync(draft);
  try {
    const download = ["apt-get", "download", "-o", "APT::Sandbox::User=root", name];
    const tried = await command(download, { cwd: draft, timeoutMs: 300_000 });
    if (tried.exitCode !== 0) {
      await mustRun(["apt-get", "update"], { timeoutMs: 120_000 });
      await mustRun(download, { cwd: draft, timeoutMs: 300_000 });
    }
    const archive = readdirSync(draft).find((file) => file.endsWith(".deb")) ?? "";
    await mustRun(["dpkg-deb", "-x", join(draft, archive), draft]);
    rmSync(join(draft, archive));
    await mustRun(["busybox", "depmod", "-b", draft, name.replace("linux-image-", "")]);
    renameSync(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
