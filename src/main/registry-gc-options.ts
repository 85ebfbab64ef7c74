import { parseArgs } from "node:util";
import { invalidParameter, messageOf } from "../errors/platform-error.ts";
import { parseDurationNs } from "../formats/duration.ts";
import type { CollectionRequest } from "../registry/server/gc/collector.ts";
import { defaultUploadAgeMs } from "../registry/server/upload-store.ts";

/** How `gantry registry gc` was called. */
export interface RegistryGcOptions {
  /** Absolute. */
  readonly root: string;
  readonly request: CollectionRequest;
}

export const registryGcHelp = `Usage:  gantry registry gc --root DIR [OPTIONS]

Remove what no manifest of a registry needs, also while it serves

Options:
      --root DIR             Directory of the registry
      --dry-run              Print what would be removed, and why
      --untagged             Remove manifests without a tag, too, unless an index or a subject keeps them
      --grace DURATION       Leave alone what was pushed or looked at so recently (default 1h)
      --upload-age DURATION  Throw away uploads that rest for so long (default 168h)
      --help                 Print this text
`;

const defaultGraceMs = 3600_000;

/** Undefined when help was asked for. Errors: InvalidParameter naming the option. */
export function parseRegistryGcOptions(argv: readonly string[]): RegistryGcOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const request = parseCollection("", values);
  return {
    root: registryDirectory(values.root),
    request: { ...request, dryRun: values["dry-run"] ?? false },
  };
}

function parse(argv: readonly string[]) {
  try {
    const options = {
      grace: { type: "string" },
      "upload-age": { type: "string" },
      untagged: { type: "boolean" },
      root: { type: "string" },
      "dry-run": { type: "boolean" },
      help: { type: "boolean" },
    } as const;
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw invalidParameter(messageOf(error), { hint: "see `gantry registry gc --help`" });
  }
}

/** `prefix`: what stands before the names of the options. */
export function parseCollection(
  prefix: string,
  values: {
    readonly grace?: string | undefined;
    readonly "upload-age"?: string | undefined;
    readonly untagged?: boolean | undefined;
  },
): CollectionRequest {
  return {
    dryRun: false,
    graceMs: durationMs(`${prefix}grace`, values.grace) ?? defaultGraceMs,
    uploadAgeMs: durationMs(`${prefix}upload-age`, values["upload-age"]) ?? defaultUploadAgeMs,
    what: values.untagged ? "untagged" : "unneeded",
  };
}

/** Go's syntax, such as 1h30m. Errors: InvalidParameter, also for a negative one. */
export function durationMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const nanoseconds = parseDurationNs(text);
  if (nanoseconds === undefined || nanoseconds < 0)
    throw invalidParameter(`--${option} ${text}: expected a duration, such as 1h30m`);
  return nanoseconds / 1e6;
}

/** Errors: InvalidParameter. */
export function registryDirectory(path: string | undefined): string {
  if (path === undefined) {
    throw invalidParameter("--root is missing: where the registry keeps its content", {
      hint: "for instance: --root /srv/images",
    });
  }
  if (!path.startsWith("/") || path === "/")
    throw invalidParameter(`--root ${path}: not an absolute directory`);
  return path.replace(/\/+$/, "");
}
