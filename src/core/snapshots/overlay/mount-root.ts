import { rmSync } from "node:fs";
import { join } from "node:path";
import { mountOverlay } from "../../../kernel/mount-overlay.ts";
import type { MountedRoot } from "../contract.ts";

/** Distributions may switch these on; with them a layer's diff is no longer what its files say. */
export const plainFormat = ["index=off", "redirect_dir=nofollow", "metacopy=off"];

/** Mounts the root of a container. Synchronous. */
export function mountRoot(root: MountedRoot, { isVolatile }: { isVolatile: boolean }): void {
  const { lower, upper, work, merged } = root;
  if (isVolatile) forgetVolatile(work);
  const options = [
    ...plainFormat,
    ...(isVolatile ? ["volatile"] : []),
    ...(root.form === "overlay-user" ? ["userxattr"] : []),
  ];
  mountOverlay({ lower, upper, work, target: merged, options });
}

/** The kernel refuses a volatile upper directory a second time, since a crash may have cost it files. */
function forgetVolatile(work: string): void {
  rmSync(join(work, "work/incompat"), { recursive: true, force: true });
}
