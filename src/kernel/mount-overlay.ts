import { closeSync, constants, openSync } from "node:fs";
import { release } from "node:os";
import { invalidParameter, PlatformError } from "../errors/platform-error.ts";
import { errnoName, errnoText } from "./errno.ts";
import { kernelVersion } from "./host-facts.ts";
import { fsconfigCreate, fsconfigSet, fsLog, fsmount, fsopen, mount, moveMount } from "./mounts.ts";
import { AT_FDCWD } from "./syscall.ts";

export interface OverlayRequest {
  /** Read-only directories, the topmost first; at least one. */
  readonly lower: readonly string[];
  /** Both or neither: without them the mount is read-only, and needs two lower directories. */
  readonly upper?: string;
  readonly work?: string;
  readonly target: string;
  /** Further options of overlayfs, `key` or `key=value`: `index=off`, `volatile`, `userxattr`. */
  readonly options?: readonly string[];
  /** MOUNT_ATTR_* */
  readonly attributes?: number;
}

/** strndup_user in fsconfig(2): a value has at most 255 bytes. */
const MAX_VALUE_BYTES = 255;

/** mount(2): the options are copied from one page, with a NUL. */
const MAX_OPTION_BYTES = 4095;

/**
 * Linux 6.5 knows `lowerdir+`. It has to be known beforehand: an older one takes any parameter, and refuses
 * the unknown ones only when the mount is made.
 */
export function takesLayersOneByOne(kernelRelease: string): boolean {
  const { major, minor } = kernelVersion(kernelRelease);
  return major > 6 || (major === 6 && minor >= 5);
}

/**
 * Mounts an overlay with any number of layers: one `lowerdir+` for each (Linux 6.5); an older kernel gets the
 * option string, in which layers are named by descriptors when their paths do not fit into a page.
 * Errors: System, naming the target, errno and what the kernel logged.
 */
export function mountOverlay(request: OverlayRequest, oneByOne = takesLayersOneByOne(release())): void {
  if (request.lower.length === 0)
    throw invalidParameter(`overlay mount ${request.target}: no lower directory`);
  if (oneByOne) mountByParameters(request);
  else mountByOptionString(request);
}

function mountByParameters(request: OverlayRequest): void {
  using descriptors = new Descriptors();
  const fs = descriptors.add(fsopen("overlay"));
  const pairs = parameters(request, (path) => descriptors.shorten(path));
  for (const [key, value] of pairs) {
    const result = fsconfigSet(fs, key, value);
    if (result < 0) throw overlayError(request, -result, fsLog(fs) || `${key} ${value ?? ""}`.trim());
  }
  const created = fsconfigCreate(fs);
  if (created < 0) throw overlayError(request, -created, fsLog(fs));
  const detached = descriptors.add(fsmount(fs, request.attributes ?? 0, `mount overlay ${request.target}`));
  moveMount(detached, AT_FDCWD, request.target);
}

function parameters(
  request: OverlayRequest,
  shorten: (path: string) => string,
): [key: string, value: string | undefined][] {
  const { lower, upper, work, options = [] } = request;
  return [
    ["source", "overlay"],
    ...lower.map((path): [string, string] => ["lowerdir+", shorten(path)]),
    ...(upper === undefined ? [] : ([["upperdir", shorten(upper)]] as [string, string][])),
    ...(work === undefined ? [] : ([["workdir", shorten(work)]] as [string, string][])),
    ...options.map((option): [string, string | undefined] => splitOption(option)),
  ];
}

function splitOption(option: string): [string, string | undefined] {
  const equals = option.indexOf("=");
  return equals < 0 ? [option, undefined] : [option.slice(0, equals), option.slice(equals + 1)];
}

/** The option string of kernels before 6.5; pure. `:` separates directories, `,` options. */
export function overlayOptionString(request: Omit<OverlayRequest, "target" | "attributes">): string {
  const { lower, upper, work, options = [] } = request;
  const escaped = (path: string, special: RegExp) => path.replace(special, "\\$&");
  return [
    `lowerdir=${lower.map((path) => escaped(path, /[\\:,]/g)).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper, /[\\,]/g)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work, /[\\,]/g)}`]),
    ...options,
  ].join(",");
}

function mountByOptionString(request: OverlayRequest): void {
  using descriptors = new Descriptors();
  const whole = overlayOptionString(request);
  const fits = Buffer.byteLength(whole) <= MAX_OPTION_BYTES;
  const data = fits
    ? whole
    : overlayOptionString({ ...request, lower: request.lower.map((it) => descriptors.open(it)) });
  if (Buffer.byteLength(data) > MAX_OPTION_BYTES) {
    const what = `mount overlay ${request.target}: ${request.lower.length} layers are too many`;
    throw new PlatformError("System", what, {
      hint: "this kernel takes all layers in one page; use Linux 6.5",
    });
  }
  // MOUNT_ATTR_RDONLY, NOSUID, NODEV, NOEXEC have the values of MS_*.
  const flags = (request.attributes ?? 0) & 0xf;
  mount({ source: "overlay", target: request.target, fstype: "overlay", flags, data });
}

function overlayError(request: OverlayRequest, errno: number, log: string): PlatformError {
  const detail = log === "" ? "" : ` (${log})`;
  return new PlatformError("System", `mount overlay ${request.target}: ${errnoText(errno)}${detail}`, {
    code: `errno.${errnoName(errno)}`,
  });
}

/** Descriptors that are closed at the end of the mount. */
class Descriptors {
  private readonly fds: number[] = [];

  add(fd: number): number {
    this.fds.push(fd);
    return fd;
  }

  /** A path that is too long for fsconfig, by a descriptor instead. */
  shorten(path: string): string {
    return Buffer.byteLength(path) <= MAX_VALUE_BYTES ? path : this.open(path);
  }

  /** A short path of a directory, valid as long as these descriptors are open. */
  open(path: string): string {
    return `/proc/self/fd/${this.add(openSync(path, constants.O_DIRECTORY))}`;
  }

  [Symbol.dispose](): void {
    for (const fd of this.fds) closeSync(fd);
  }
}
