import type { Image } from "../../core/images/contract.ts";
import { familiarReference, parseReference } from "../../formats/reference.ts";

/** `docker.io/library/busybox:latest` as users write it: `busybox:latest`. */
export const familiar = (reference: string): string => familiarReference(parseReference(reference));

export const familiarDigests = (image: Image): string[] => image.repoDigests.map(familiar);
