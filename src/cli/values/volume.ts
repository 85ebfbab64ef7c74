import type { ClientFiles } from "../client-files.ts";

/** One `-v` value: a bind or named volume goes to `HostConfig.Binds`, an anonymous volume to `Volumes`. */
export type VolumeSpec =
  | { readonly kind: "bind"; readonly bind: string }
  | { readonly kind: "anonymous"; readonly target: string };

/** `[SOURCE:]TARGET[:OPTIONS]`; a relative source is taken from the working directory. Errors: Error. */
export function parseVolume(files: ClientFiles, raw: string): VolumeSpec {
  if (raw === "") throw new Error("invalid empty volume spec");
  const parts = raw.split(":");
  if (parts.length === 1) return { kind: "anonymous", target: raw };
  if (parts.length > 3) throw new Error(`invalid volume specification: '${raw}'`);
  if (parts.some((part) => part === "")) {
    throw new Error(`invalid spec: ${raw}: empty section between colons`);
  }
  const [source = "", ...rest] = parts;
  return { kind: "bind", bind: [absoluteSource(files, source), ...rest].join(":") };
}

/** A name without a dot in front is a volume's. */
export function absoluteSource(files: ClientFiles, source: string): string {
  return source.startsWith(".") ? files.resolve(source) : source;
}
