import type { OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { Plan } from "../../kernel/steps.ts";
import { planContainer } from "../plan/plan-container.ts";
import { bindSourceKinds } from "./bundle.ts";
import type { CreateOptions } from "./container-state.ts";

/** The plan of a container of the command line. Errors: as `planContainer`. */
export function planBundle(
  id: string,
  bundle: string,
  spec: OciSpec,
  host: HostFacts,
  options: CreateOptions,
): Plan {
  return planContainer(spec, host, {
    containerId: id,
    bundle,
    sourceKinds: bindSourceKinds(bundle, spec.mounts ?? []),
    ...options,
  });
}
