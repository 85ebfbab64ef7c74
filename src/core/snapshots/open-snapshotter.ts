import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { erofsRefusal } from "../../kernel/mount-erofs.ts";
import type { Log } from "../../log/log.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";
import { chooseDriver, type DriverName, driverNames } from "./choose-driver.ts";
import { ErofsDriver } from "./erofs/erofs-driver.ts";
import { FileSnapshotter } from "./file-snapshotter.ts";
import { OverlayDriver, type OverlayForm } from "./overlay/overlay-driver.ts";
import { backingFileSystem, overlayFormHere, probeOverlay } from "./probe-storage.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { TreeWork } from "./tree-work.ts";
import { VfsDriver } from "./vfs/vfs-driver.ts";

export interface SnapshotterOptions {
  readonly root: string;
  /** `--storage-driver`; undefined: the root's own, or the best one. */
  readonly driver: DriverName | undefined;
  readonly trees: TreeWork;
  readonly log: Log;
}

/**
 * Opens the snapshots of a root, made if missing, with the driver that `chooseDriver` finds; its errors. A root without a
 * `driver` file is overlay2's.
 */
export async function openSnapshotter({
  root,
  driver: wanted,
  trees,
  log,
}: SnapshotterOptions): Promise<FileSnapshotter> {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const form = overlayFormHere();
  const madeWith = driverOf(root);
  const name = chooseDriver(
    {
      madeWith,
      // Once is enough: the mount of a container names its own reason.
      overlayRefusal: madeWith === undefined && wanted !== "vfs" ? probeOverlay(root, form) : undefined,
      erofsRefusal: (wanted ?? madeWith) === "erofs" ? refusalOfErofs(form) : undefined,
    },
    wanted,
  );
  if (name !== recordedDriver(root)) await writeFileDurably(join(root, "driver"), `${name}\n`);
  return new FileSnapshotter({ root, driver: createDriver(name, { root, form, trees }), trees, log });
}

/** Undefined when there is nothing that a driver has made. */
function driverOf(root: string): DriverName | undefined {
  const hasContent = ["layers", "containers"].some((name) => namesIn(join(root, name)).length > 0);
  if (!hasContent) return undefined;
  return recordedDriver(root);
}

/** The driver of a root of snapshots that exists. */
export function recordedDriver(root: string): DriverName {
  const file = join(root, "driver");
  const recorded = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return driverNames.find((name) => name === recorded) ?? "overlay2";
}

function createDriver(
  name: DriverName,
  { root, form, trees }: { root: string; form: OverlayForm; trees: TreeWork },
): StorageDriver {
  switch (name) {
    case "overlay2":
      return new OverlayDriver(form, trees, overlayStatus(root, form));
    case "erofs":
      return new ErofsDriver(trees, overlayStatus(root, form));
    case "vfs":
      return new VfsDriver(trees);
  }
}

function refusalOfErofs(form: OverlayForm): string | undefined {
  return form === "overlay" ? erofsRefusal() : "EROFS images cannot be mounted inside a user namespace";
}

/** The rows that Docker's overlay2 has in `info`. */
function overlayStatus(root: string, form: OverlayForm): [name: string, value: string][] {
  return [
    ["Backing Filesystem", backingFileSystem(root)],
    ["Supports d_type", "true"],
    ["Using metacopy", "false"],
    ["Native Overlay Diff", "true"],
    ["userxattr", String(form === "overlay-user")],
  ];
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
