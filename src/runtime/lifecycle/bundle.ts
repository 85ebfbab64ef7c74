import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { invalidParameter, notFound } from "../../errors/platform-error.ts";
import type { OciMount, OciSpec } from "../../formats/oci-runtime.ts";
import { parseOciSpec } from "../../formats/parse-oci-runtime.ts";
import { errnoOf, fileError } from "../../kernel/cgroup-files.ts";
import type { TargetKind } from "../../kernel/steps.ts";

export interface Bundle {
  /** Absolute. */
  readonly directory: string;
  readonly spec: OciSpec;
  /** Absolute. */
  readonly rootfs: string;
}

/**
 * Reads a bundle.
 *
 * Errors: NotFound without config.json, InvalidParameter for a malformed one, or a root that is not there.
 * Spec:   OCI Runtime Specification, "Filesystem Bundle".
 */
export function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const spec = parseOciSpec(readConfig(directory));
  const rootfs = resolve(directory, spec.root?.path ?? "");
  if (statSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw invalidParameter(`invalid rootfs: ${rootfs} is no directory`, {
      hint: "root.path of config.json is relative to the bundle",
    });
  return { directory, spec, rootfs };
}

function readConfig(directory: string): string {
  try {
    return readFileSync(join(directory, "config.json"), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      throw notFound("JSON specification file config.json not found", {
        hint: `\`spec --bundle ${directory}\` writes one`,
        cause: error,
      });
    throw fileError(error, `read ${directory}/config.json`);
  }
}

/** What the sources of binds are, by absolute path: it decides what a missing target is made as. */
export function bindSourceKinds(bundle: string, mounts: readonly OciMount[]): Map<string, TargetKind> {
  const kinds = new Map<string, TargetKind>();
  for (const { source, type, options = [] } of mounts) {
    const isBind = type === "bind" || options.includes("bind") || options.includes("rbind");
    if (!isBind || source === undefined || source === "") continue;
    const path = resolve(bundle, source);
    const found = statSync(path, { throwIfNoEntry: false });
    kinds.set(path, found === undefined || found.isDirectory() ? "directory" : "file");
  }
  return kinds;
}
