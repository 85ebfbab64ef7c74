import { ErofsDriver } from "../../../src/core/snapshots/erofs/erofs-driver.ts";
import { OverlayDriver } from "../../../src/core/snapshots/overlay/overlay-driver.ts";
import type { StorageDriver } from "../../../src/core/snapshots/storage-driver.ts";
import type { TreeWork } from "../../../src/core/snapshots/tree-work.ts";
import { VfsDriver } from "../../../src/core/snapshots/vfs/vfs-driver.ts";

/** All drivers, and both forms of overlayfs' attributes. */
export const storageDrivers: [name: string, create: (trees: TreeWork) => StorageDriver][] = [
  ["overlay2", (trees) => new OverlayDriver("overlay", trees)],
  ["overlay2 with userxattr", (trees) => new OverlayDriver("overlay-user", trees)],
  ["erofs", (trees) => new ErofsDriver(trees)],
  ["vfs", (trees) => new VfsDriver(trees)],
];
