import { closeSync, constants, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mountOverlay, overlayOptionString } from "../../../kernel/mount-overlay.ts";
import type { MountedRoot } from "../contract.ts";

/** Distributions may switch these on; with them a layer's diff is no longer what its files say. */
export const plainFormat = ["index=off", "redirect_dir=nofollow", "metacopy=off"];
/** Older kernels take the options in one page. */
const maxOptionBytes = 4095;

/** Mounts the root of a container. Synchronous. */
export function mountRoot(root: MountedRoot, { isVolatile }: { isVolatile: boolean }): void {
  const { lower, upper, work, merged } = root;
  if (isVolatile) forgetVolatile(work);
  const options = [
    ...plainFormat,
    ...(isVolatile ? ["volatile"] : []),
    ...(root.form === "overlay-user" ? ["userxattr"] : []),
  ];
  if (Buffer.byteLength(overlayOptionString({ lower, upper, work, options })) <= maxOptionBytes) {
    mountOverlay({ lower, upper, work, target: merged, options });
    return;
  }
  const fds = lower.map((path) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    // Names of descriptors are short enough for as many layers as overlayfs takes.
    const short = fds.map((fd) => `/proc/self/fd/${fd}`);
    mountOverlay({ lower: short, upper, work, target: merged, options });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** The kernel refuses a volatile upper directory a second time, since a crash may have cost it files. */
function forgetVolatile(work: string): void {
  rmSync(join(work, "work/incompat"), { recursive: true, force: true });
}
