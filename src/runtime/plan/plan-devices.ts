import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciDevice } from "../../formats/oci-runtime.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { maximumMajor, maximumMinor } from "./device-rules.ts";
import { parseMountOptions } from "./mount-options.ts";
import { inUserNamespace, type PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

/** OCI Runtime Specification, "Default Devices". */
const defaultDevices: readonly OciDevice[] = [
  { path: "/dev/null", type: "c", major: 1, minor: 3 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5 },
  { path: "/dev/full", type: "c", major: 1, minor: 7 },
  { path: "/dev/random", type: "c", major: 1, minor: 8 },
  { path: "/dev/urandom", type: "c", major: 1, minor: 9 },
  { path: "/dev/tty", type: "c", major: 5, minor: 0 },
];

/** OCI Runtime Specification, "Dev symbolic links". */
const links = [
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
  ["/dev/ptmx", "pts/ptmx"],
] as const;

/**
 * Plans what stands in /dev: the default devices, those of the spec, the symbolic links. A /dev that is bound from the host
 * is left as it is.
 *
 * Errors: InvalidParameter for a device without a number or with a relative path.
 * Spec:   OCI Runtime Specification, "Devices".
 */
export function planDevices(context: PlanContext): KernelStep[] {
  const list = new StepList("setup", context.reasonOf);
  if (devIsBound(context)) return list.steps;
  const own = context.linux.devices ?? [];
  for (const device of defaultDevices)
    if (!own.some(({ path }) => posix.normalize(path) === device.path))
      list.addBecause("default device", deviceStep(device, context));
  for (const [index, device] of own.entries()) {
    checkDevice(device, index);
    list.add(`/linux/devices/${index}`, deviceStep(device, context));
  }
  for (const [path, to] of links) list.addBecause("default link", { op: "symlink", path, to });
  if (context.host.hasKcore)
    list.addBecause("default link", { op: "symlink", path: "/dev/core", to: "/proc/kcore" });
  return list.steps;
}

const devIsBound = ({ spec }: PlanContext) =>
  (spec.mounts ?? []).some(
    ({ destination, type, options }) =>
      posix.normalize(`/${destination}/`) === "/dev/" &&
      (type === "bind" || parseMountOptions(options ?? []).bind !== "no"),
  );

function checkDevice(device: OciDevice, index: number): void {
  const place = `linux.devices[${index}]`;
  if (!device.path.startsWith("/")) throw invalidParameter(`${place}.path: ${device.path} is not absolute`);
  if (device.type === "p") return;
  const { major = -1, minor = -1 } = device;
  if (major < 0 || major > maximumMajor)
    throw invalidParameter(`${place}.major: ${major} is no major number`);
  if (minor < 0 || minor > maximumMinor)
    throw invalidParameter(`${place}.minor: ${minor} is no minor number`);
}

/** Where mknod is impossible, the host's node is bound; a FIFO can always be made. */
function deviceStep(device: OciDevice, context: PlanContext) {
  const kind = device.type === "u" ? "c" : device.type;
  const path = posix.normalize(device.path);
  const { major = 0, minor = 0 } = device;
  if (kind !== "p" && inUserNamespace(context))
    return { op: "bind-device", source: path, path, kind, major, minor } as const;
  return {
    op: "make-device",
    path,
    kind,
    major,
    minor,
    mode: device.fileMode ?? 0o666,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  } as const;
}
