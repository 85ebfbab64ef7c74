import { invalidParameter } from "../../errors/platform-error.ts";
import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";

/** Where systemd puts a container. */
export interface UnitPlace {
  /** `runc-ID.scope` */
  readonly unit: string;
  /** `system.slice`; undefined for a unit in the root slice. */
  readonly slice: string;
  /** What the spec calls it, or the container's id. */
  readonly name: string;
  /** Below each cgroup mount, as of `CgroupPlace`. */
  readonly path: string;
}

/** Callers look for the units of a runtime under this prefix, whichever runtime it is. */
const defaultPrefix = "runc";
const maximumUnitName = 255;

/**
 * Reads `linux.cgroupsPath` as the systemd driver does: `SLICE:PREFIX:NAME`, each of which may be empty. Pure.
 *
 * Out:    the scope `PREFIX-NAME.scope` in the slice; a NAME that ends in `.slice` is a slice unit itself.
 * Errors: InvalidParameter for another form, or a name that systemd does not take.
 * Spec:   systemd.unit(5), "Unit names"; systemd.slice(5).
 */
export function placeUnit(
  cgroupsPath: string | undefined,
  containerId: string,
  systemd: Pick<SystemdFacts, "manager" | "controlGroup">,
): UnitPlace {
  const given = cgroupsPath || `:${defaultPrefix}:${containerId}`;
  const parts = given.split(":");
  const [slice = "", prefix = "", name = ""] = parts;
  if (parts.length !== 3 || name === "" || given.includes("/"))
    throw invalidParameter(`linux.cgroupsPath: ${given} is not of the form slice:prefix:name`, {
      hint: "with --systemd-cgroup it names a slice and a unit; without it, a directory",
    });
  const place = {
    unit: checkUnitName(unitName(prefix, name)),
    slice: sliceUnit(slice || (systemd.manager.kind === "user" ? "user.slice" : "system.slice")),
    name,
  };
  return { ...place, path: `${systemd.controlGroup}${slicePath(place.slice)}/${place.unit}` };
}

function unitName(prefix: string, name: string): string {
  if (name.endsWith(".slice")) return name;
  return prefix === "" ? `${name}.scope` : `${prefix}-${name}.scope`;
}

export const isSlice = (unit: string): boolean => unit.endsWith(".slice");

const rootSlice = "-.slice";

/** `-` is the root slice. */
const sliceUnit = (slice: string): string => (slice === "-" ? rootSlice : slice);

/**
 * A slice's directory: the dashes of its name say what it is in. `a-b.slice` → `/a.slice/a-b.slice`. Pure.
 * Errors: InvalidParameter for what names no slice.
 */
export function slicePath(slice: string): string {
  if (slice === rootSlice) return "";
  const parts = slice.replace(/\.slice$/, "").split("-");
  if (!isSlice(slice) || parts.includes(""))
    throw invalidParameter(`linux.cgroupsPath: ${slice} is no slice`);
  checkUnitName(slice);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}

function checkUnitName(unit: string): string {
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(unit) || unit.length > maximumUnitName)
    throw invalidParameter(`linux.cgroupsPath: ${unit} is no name of a systemd unit`);
  if (isSlice(unit) && unit.slice(0, -".slice".length).split("-").includes(""))
    throw invalidParameter(`linux.cgroupsPath: ${unit} is no slice`);
  return unit;
}
