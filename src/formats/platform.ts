import { invalidParameter } from "../errors/platform-error.ts";
import { definedOnly } from "./json-fields.ts";

/** OCI image-spec, "Image Index", platform. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const osAliases = new Map([["macos", "darwin"]]);

/** Spellings of kernels and compilers, as [architecture, variant]. */
const architectureAliases = new Map<string, readonly [string, string?]>([
  ["aarch64", ["arm64"]],
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["i386", ["386"]],
  ["armhf", ["arm", "v7"]],
  ["armel", ["arm", "v6"]],
]);

const knownArchitectures = new Set(
  "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm".split(" "),
);
const component = /^[A-Za-z0-9_.-]+$/;

/**
 * Parses `os/arch[/variant]`, or `os` or `arch` alone, for which `host` fills in the rest.
 * Errors: InvalidParameter, naming the text.
 */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || parts.some((part) => !component.test(part))) {
    throw invalidParameter(`"${text}" is an invalid platform: it must be os/arch[/variant]`, {
      hint: "write for example linux/amd64 or linux/arm/v7",
    });
  }
  const [first = "", architecture, variant] = parts;
  if (architecture !== undefined) {
    return normalizePlatform({ os: first, architecture, ...(variant === undefined ? {} : { variant }) });
  }
  const alone = normalizePlatform({ os: host.os, architecture: first });
  return knownArchitectures.has(alone.architecture)
    ? alone
    : normalizePlatform({ ...host, os: first.toLowerCase() });
}

/** The normal form: lower case, no aliases, and a variant only where it says more than the default. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const [architecture, impliedVariant] = architectureAliases.get(written) ?? [written];
  const { variant: _, ...rest } = platform;
  const variant = normalVariant(architecture, platform.variant?.toLowerCase() || impliedVariant);
  return {
    ...rest,
    os: osAliases.get(os) ?? os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
  };
}

function normalVariant(architecture: string, variant: string | undefined): string | undefined {
  const versioned = variant !== undefined && /^[0-9]+$/.test(variant) ? `v${variant}` : variant;
  if (architecture === "arm") return versioned ?? "v7";
  if (architecture === "arm64" && versioned === "v8") return undefined;
  if (architecture === "amd64" && versioned === "v1") return undefined;
  return versioned;
}

/** The platform out of what also says other things, an image config for example. */
export function pickPlatform(source: Platform): Platform {
  return definedOnly<Platform>({
    os: source.os,
    architecture: source.architecture,
    variant: source.variant,
    "os.version": source["os.version"],
    "os.features": source["os.features"],
  });
}

/** `linux/arm64`, `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/**
 * How well `offered` runs where `wanted` is asked for: 0 is best, higher is a lower variant, undefined does
 * not run. An arm machine runs lower versions, an amd64 machine lower levels, arm64 also arm programs.
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const [want, offer] = [normalizePlatform(wanted), normalizePlatform(offered)];
  if (want.os !== offer.os) return undefined;
  const key = formatPlatform({ os: "", architecture: offer.architecture, variant: offer.variant ?? "" });
  const rank = runnable(want).indexOf(key);
  return rank < 0 ? undefined : rank;
}

/** What a platform runs, best first, as `arch[/variant]` in normal form. */
function runnable({ architecture, variant }: Platform): string[] {
  const level = Number(variant?.slice(1).split(".")[0] ?? 0);
  switch (architecture) {
    case "amd64":
      return levels("amd64", Math.max(level, 1), 2).concat("amd64");
    case "arm":
      return levels("arm", level, 5);
    case "arm64":
      return [...own("arm64", variant), ...levels("arm64", level - 1, 9), "arm64", ...levels("arm", 8, 5)];
    default:
      return [...own(architecture, variant), architecture];
  }
}

function own(architecture: string, variant: string | undefined): string[] {
  return variant === undefined ? [] : [`${architecture}/${variant}`];
}

function levels(architecture: string, from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => `${architecture}/v${from - step}`);
}

/** The best entry for `wanted`; among equals the first one (OCI image-spec, "Image Index"). */
export function choosePlatform<T extends { readonly platform?: Platform }>(
  entries: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: { entry: T; distance: number } | undefined;
  for (const entry of entries) {
    const distance = entry.platform && platformDistance(wanted, entry.platform);
    if (distance !== undefined && (best === undefined || distance < best.distance))
      best = { entry, distance };
  }
  return best?.entry;
}

const hostArchitectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
  loong64: "loong64",
};

/**
 * This machine: `architecture` as `process.arch` spells it, `cpuFlags` as /proc/cpuinfo lists them
 * (they decide the amd64 level).
 */
export function hostPlatform(
  architecture: string = process.arch,
  cpuFlags: readonly string[] = [],
): Platform {
  const name = hostArchitectures[architecture] ?? architecture;
  const level = name === "amd64" ? amd64Level(new Set(cpuFlags)) : 1;
  return { os: "linux", architecture: name, ...(level > 1 ? { variant: `v${level}` } : {}) };
}

/** x86-64 psABI, "Micro-architecture levels", in the kernel's names. `abm` stands for lzcnt. */
const amd64Levels: readonly (readonly string[])[] = [
  ["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"],
  ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
  ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
];

function amd64Level(flags: ReadonlySet<string>): number {
  const missing = amd64Levels.findIndex((level) => !level.every((flag) => flags.has(flag)));
  return (missing < 0 ? amd64Levels.length : missing) + 1;
}
