import { invalidParameter, PlatformError } from "../../errors/platform-error.ts";
import { type ByteString, quoted } from "../../formats/tar/byte-string.ts";
import { errnoName, errnoText } from "../../kernel/errno.ts";
import { EDQUOT, ENOSPC } from "../../kernel/file-calls.ts";

/** A layer that breaks the rules: `layer sha256:…: entry "a/b": path leaves the layer`, code `layer.<reason>`. */
export const badEntry = (layer: string, entry: ByteString, reason: string, what: string) =>
  invalidParameter(`layer ${layer}: entry ${quoted(entry)}: ${what}`, { code: `layer.${reason}` });

/** More than a limit allows. */
export const overLimit = (layer: string, what: string, hint?: string) =>
  invalidParameter(`layer ${layer}: ${what}`, { code: "layer.limit", hint });

/** `unpackedBytes` of UnpackLimits. */
export const tooLarge = (layer: string, bytes: number) =>
  overLimit(
    layer,
    `unpacks to more than ${bytes} bytes`,
    "if the image can be trusted, start the engine with a larger --max-layer-size",
  );

/** What the kernel refused while an entry was made; a full disk is the layer's trouble, not the entry's. */
export function refusedByKernel(
  layer: string,
  entry: ByteString,
  action: string,
  errno: number,
): PlatformError {
  const options = { code: `errno.${errnoName(errno)}` };
  const cause = errnoText(errno);
  if (errno === ENOSPC || errno === EDQUOT) {
    const hint = "free disk space, or let --root point to a larger file system";
    return new PlatformError("System", `layer ${layer}: ${cause}`, { ...options, hint });
  }
  return new PlatformError("System", `layer ${layer}: entry ${quoted(entry)}: ${action}: ${cause}`, options);
}
