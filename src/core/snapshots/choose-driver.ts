import { conflict, invalidParameter, notImplemented, systemError } from "../../errors/platform-error.ts";

export const driverNames = ["overlay2", "vfs", "erofs"] as const;
export type DriverName = (typeof driverNames)[number];

/** What a driver is chosen by; of one root directory on one host. */
export interface StorageFacts {
  /** The driver that made what is in the root; undefined where nothing is. */
  readonly madeWith: DriverName | undefined;
  /** Why overlayfs cannot stand on the root's file system; undefined if it can. */
  readonly overlayRefusal: string | undefined;
  /** Why EROFS images cannot be mounted; undefined if they can. */
  readonly erofsRefusal: string | undefined;
}

/** Other programs' words for the same. */
const aliases: ReadonlyMap<string, DriverName> = new Map([
  ["overlay", "overlay2"],
  ["overlayfs", "overlay2"],
  ["native", "vfs"],
  ["copy", "vfs"],
]);

const otherDrivers = ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "windowsfilter", "zfs", "stargz"];

/** The value of `--storage-driver`. Errors: NotImplemented for those of other engines; InvalidParameter. */
export function parseDriverName(value: string): DriverName {
  const name = driverNames.find((known) => known === value) ?? aliases.get(value);
  if (name !== undefined) return name;
  const hint = `there are ${driverNames.join(", ")}`;
  if (otherDrivers.includes(value)) {
    throw notImplemented(`--storage-driver ${value}: there is no such driver here`, { hint });
  }
  throw invalidParameter(`--storage-driver ${value}: not a storage driver`, { hint });
}

/**
 * Which driver a root gets: the one that is asked for, else the one it was made with, else overlay2 where that works, and
 * vfs where it does not.
 * Errors: Conflict for another one than the root was made with; System naming why the host cannot have it.
 */
export function chooseDriver(facts: StorageFacts, wanted: DriverName | undefined): DriverName {
  const { madeWith, overlayRefusal, erofsRefusal } = facts;
  if (wanted !== undefined && madeWith !== undefined && wanted !== madeWith) {
    throw conflict(
      `--storage-driver ${wanted}: the layers and containers of this root are made with ${madeWith}`,
      {
        hint: `use --storage-driver ${madeWith}, or another --root`,
      },
    );
  }
  const chosen = wanted ?? madeWith ?? (overlayRefusal === undefined ? "overlay2" : "vfs");
  const refusals = { overlay2: overlayRefusal, vfs: undefined, erofs: overlayRefusal ?? erofsRefusal };
  const refusal = refusals[chosen];
  if (refusal === undefined) return chosen;
  throw systemError(`--storage-driver ${chosen}: ${refusal}`, {
    hint: "--storage-driver vfs works on any file system, with a copy for each container",
  });
}
