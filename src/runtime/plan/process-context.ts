import type { OciMemoryPolicy, OciPersonality, OciProcess, OciSeccomp } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { PlanOptions } from "./plan-options.ts";
import type { PlannedState } from "./planned-state.ts";
import type { ReasonOf } from "./step-list.ts";

/** What the planning of a process needs: the container's own one and exec'd ones have it in common. */
export interface ProcessContext {
  readonly process: OciProcess;
  readonly host: HostFacts;
  readonly options: Pick<PlanOptions, "containerId" | "noNewKeyring" | "preserveFds">;
  readonly seccomp: OciSeccomp | undefined;
  /** Of the container, for the agent that a seccomp listener goes to; undefined where nobody can hand one over. */
  readonly state: PlannedState | undefined;
  readonly personality: OciPersonality | undefined;
  readonly memoryPolicy: OciMemoryPolicy | undefined;
  readonly inUserNamespace: boolean;
  readonly reasonOf: ReasonOf;
}
