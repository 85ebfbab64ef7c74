import type { Image } from "../../core/images/contract.ts";
import { parseTimeNs } from "../clock.ts";

/** By config, which never changes: a list asks for each image's time again and again. */
const known = new WeakMap<Image["config"], bigint>();

/** When an image was made, in nanoseconds since 1970; 0 where its config does not say. */
export function createdNs({ config }: Pick<Image, "config">): bigint {
  const found = known.get(config) ?? parseTimeNs(config.created ?? "") ?? 0n;
  known.set(config, found);
  return found;
}
