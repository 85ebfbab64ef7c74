import { mkdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../../core/content/file-error.ts";
import type { Image } from "../../core/images/contract.ts";
import type { Leases, OpenLease } from "../../core/leases/leases.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { mountImage } from "../../core/snapshots/mount-image.ts";
import { mountPoints } from "../../core/snapshots/mount-points.ts";
import {
  conflict,
  invalidParameter,
  messageOf,
  notFound,
  PlatformError,
} from "../../errors/platform-error.ts";
import { type Digest, shortDigest } from "../../formats/digest.ts";
import { UMOUNT_NOFOLLOW, unmountAsync } from "../../kernel/mounts.ts";
import type { Log } from "../../log/log.ts";
import { type ImageMountRecord, ImageMountRecords } from "./image-mount-records.ts";

/**
 * Images whose files are mounted on the host, for reading. The mounts belong to the machine: they outlive the engine,
 * which finds them again by their records. Their layers are held as long as they are mounted.
 */
export class ImageMounts {
  readonly #mounts = new Map<string, { readonly record: ImageMountRecord; readonly lease: OpenLease }>();
  readonly #records: ImageMountRecords;

  constructor(
    private readonly directory: string,
    private readonly snapshots: Pick<Snapshotter, "layerFiles">,
    private readonly leases: Leases,
    log: Log,
  ) {
    this.#records = new ImageMountRecords(join(directory, "records"));
    mkdirSync(join(directory, "empty"), { recursive: true, mode: 0o755 });
    const onBroken = (path: string, error: unknown) =>
      log.warn("image-mounts.record-broken", { path, error: messageOf(error) });
    for (const record of this.#records.load(onBroken)) this.#mounts.set(record.path, this.#held(record));
    this.list();
  }

  /** Those that are mounted now, sorted by path. What somebody else has unmounted is forgotten. */
  list(): ImageMountRecord[] {
    const present = new Set(mountPoints());
    for (const [path, { record }] of this.#mounts) if (!present.has(path)) this.#forget(record);
    return [...this.#mounts.values()].map(({ record }) => record).sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  pathsOf(imageId: Digest): string[] {
    return this.list().flatMap((mount) => (mount.imageId === imageId ? [mount.path] : []));
  }

  /** Where the files of an image are; of one that is not mounted, where they come to be without a wish of the user's. */
  directoryOf(imageId: Digest): string {
    const own = this.#ownDirectory(imageId);
    const paths = this.#mounts.size > 0 ? this.pathsOf(imageId) : [];
    return paths.includes(own) ? own : (paths[0] ?? own);
  }

  #ownDirectory(imageId: Digest): string {
    return join(this.directory, shortDigest(imageId));
  }

  /**
   * Mounts at `wanted`, made if it is missing, or at a directory of the engine's choice; there an image that is mounted
   * already stays as it is. `name` is the user's. Errors: InvalidParameter for a path that cannot be taken; Conflict
   * for one that is taken.
   */
  mount(image: Image, name: string, wanted: string | undefined): ImageMountRecord {
    if (image.chainIds.length === 0)
      throw invalidParameter(`image ${name} has no layers: there is nothing to mount`);
    const { path, isMade } = targetDirectory(wanted ?? this.#ownDirectory(image.id));
    const before = this.list().find((mount) => mount.path === path);
    if (before?.imageId === image.id) return before;
    if (before !== undefined)
      throw conflict(`${path} is taken: image ${before.image} is mounted there`, {
        hint: "unmount it first",
      });
    const isDirectoryOurs = isMade || wanted === undefined;
    const record = { path, imageId: image.id, image: name, chainIds: image.chainIds, isDirectoryOurs };
    const held = this.#held(record);
    try {
      this.#records.write(record); // first: an engine that dies here leaves no mount that nobody knows
      const emptyDirectory = join(this.directory, "empty");
      mountImage(this.snapshots, { chainIds: image.chainIds, emptyDirectory, target: path });
    } catch (error) {
      this.#end(record, held.lease);
      throw error;
    }
    this.#mounts.set(path, held);
    return record;
  }

  /**
   * Unmounts what is at a path, or all mounts of an image. Out: what was unmounted.
   * Errors: NotFound for neither; Conflict for a mount that somebody uses.
   */
  async unmount(target: { path: string } | { imageId: Digest; name: string }): Promise<ImageMountRecord[]> {
    const isMeant = (mount: ImageMountRecord) =>
      "path" in target ? mount.path === target.path : mount.imageId === target.imageId;
    const meant = this.list().filter(isMeant);
    if (meant.length === 0)
      throw notFound(
        "path" in target ? `no image is mounted at ${target.path}` : `image ${target.name} is not mounted`,
      );
    for (const { path } of meant)
      await unmountAsync(path, UMOUNT_NOFOLLOW).catch((error) => throwBusy(path, error));
    this.list();
    return meant;
  }

  #held(record: ImageMountRecord) {
    const lease = this.leases.open({ kind: "operation", name: `mount of ${record.image} at ${record.path}` });
    for (const chainId of record.chainIds) lease.holdLayer(chainId);
    return { record, lease };
  }

  #forget(record: ImageMountRecord): void {
    const lease = this.#mounts.get(record.path)?.lease;
    this.#mounts.delete(record.path);
    this.#end(record, lease);
  }

  #end({ path, isDirectoryOurs }: ImageMountRecord, lease: OpenLease | undefined): void {
    lease?.end();
    this.#records.remove(path);
    if (!isDirectoryOurs) return;
    try {
      rmdirSync(path);
    } catch {
      // Gone already, or somebody put something into it.
    }
  }
}

/** The true path of a directory, made if it is missing. */
function targetDirectory(wanted: string): { path: string; isMade: boolean } {
  if (!wanted.startsWith("/")) throw invalidParameter(`cannot mount at ${wanted}: not an absolute path`);
  try {
    const isMade = statSync(wanted, { throwIfNoEntry: false }) === undefined;
    if (isMade) mkdirSync(wanted, { mode: 0o755 });
    const path = realpathSync(wanted);
    if (path !== "/" && statSync(path).isDirectory()) return { path, isMade };
  } catch (error) {
    throw fileError(error, `mount at ${wanted}`);
  }
  throw invalidParameter(`cannot mount at ${wanted}: not a directory that may be covered`);
}

function throwBusy(path: string, error: unknown): never {
  if (error instanceof PlatformError && error.code === "errno.EBUSY") {
    throw conflict(`cannot unmount ${path}: it is in use`, {
      hint: "end the programs that have a file open there, or their working directory",
    });
  }
  throw error;
}
