import type { OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { Plan } from "../../kernel/steps.ts";
import { defaultPath } from "../defaults.ts";
import { planContainer } from "../plan/plan-container.ts";
import { bindSourceKinds } from "./bundle.ts";
import type { CreateOptions } from "./container-state.ts";
import { findIdMapTools } from "./subordinate-ids.ts";

/** The plan of a container of the command line. Errors: as `findIdMapTools` and `planContainer`. */
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
    idMapTools: findIdMapTools(spec.linux ?? {}, host, currentCaller()),
    deviceMover: [process.execPath, "runtime", "move-net-device"],
    sourceKinds: bindSourceKinds(bundle, spec.mounts ?? []),
    ...options,
  });
}

const currentCaller = () => ({
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
  path: process.env.PATH ?? defaultPath,
});
