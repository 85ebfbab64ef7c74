import type { OciMount } from "../../formats/oci-runtime.ts";
import type { MountOptions } from "./mount-options.ts";

/** A mount with its place in the spec and its options sorted. */
export interface PlannedMount {
  readonly mount: OciMount;
  readonly index: number;
  /** Absolute, inside the container, normalized. */
  readonly target: string;
  readonly options: MountOptions;
}
