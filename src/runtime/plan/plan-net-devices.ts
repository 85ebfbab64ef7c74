import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import type { PlanContext } from "./plan-context.ts";
import { plannedState } from "./planned-state.ts";
import { StepList } from "./step-list.ts";

/**
 * Plans the network devices of the host that become the container's. Each is moved by a program which the monitor runs beside the
 * hooks, before them: in the host's namespaces, when the container's are there.
 *
 * Errors: InvalidParameter without a network namespace, or for a name that the kernel would not take; NotImplemented for a caller
 *         without such a program.
 * Spec:   OCI Runtime Specification, "Network Devices".
 */
export function planNetDevices({ spec, linux, namespaces, options, reasonOf }: PlanContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  const taken = new Set<string>();
  for (const [device, { name = device }] of Object.entries(linux.netDevices ?? {})) {
    const field = `linux.netDevices.${device}`;
    if (!namespaces.has("network"))
      throw invalidParameter(`${field}: needs a network namespace of the container's own`);
    checkName(field, device);
    checkName(`${field}.name`, name);
    if (taken.has(name)) throw invalidParameter(`${field}.name: ${name} is the name of another device`);
    taken.add(name);
    if (options.deviceMover === undefined)
      throw notImplemented(`${field}: only the OCI runtime moves network devices`);
    const [program] = options.deviceMover;
    list.add(`/linux/netDevices/${device}`, {
      op: "hook",
      kind: "network device",
      path: program,
      args: [...options.deviceMover, device, name],
      env: [],
      timeoutMs: 0,
      where: "runtime",
      state: JSON.stringify(plannedState(spec, options, "creating")),
    });
  }
  return list.steps;
}

/** dev_valid_name of the kernel; IFNAMSIZ is 16 with the NUL. Errors: InvalidParameter. */
function checkName(field: string, name: string): void {
  if (name === "" || Buffer.byteLength(name) > 15 || /[/:\s]/.test(name) || name === "." || name === "..")
    throw invalidParameter(`${field}: ${JSON.stringify(name)} cannot be the name of a network device`);
}
