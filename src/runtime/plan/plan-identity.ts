import { invalidParameter } from "../../errors/platform-error.ts";
import type { KernelStep, NamespaceType } from "../../kernel/steps.ts";
import { isNew, type PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

/**
 * Plans what the container is called, its kernel parameters, and its loopback interface.
 *
 * Errors: InvalidParameter for a name without a uts namespace, and for a kernel parameter that is not the container's own.
 * Spec:   OCI Runtime Specification, "Hostname", "Domainname", "Sysctl"; namespaces(7).
 */
export function planIdentity({ spec, linux, namespaces, reasonOf }: PlanContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  const { hostname = "", domainname = "" } = spec;
  for (const [field, name] of Object.entries({ hostname, domainname }))
    if (name !== "") {
      if (!namespaces.has("uts"))
        throw invalidParameter(`${field}: needs a uts namespace of the container's own`);
      if (name.length > 64) throw invalidParameter(`${field}: longer than 64 bytes, the kernel's limit`);
    }
  if (hostname !== "") list.add("/hostname", { op: "set-hostname", name: hostname });
  if (domainname !== "") list.add("/domainname", { op: "set-domainname", name: domainname });
  if (isNew(namespaces, "network")) list.add("/linux/namespaces", { op: "bring-up-loopback" });
  for (const [name, value] of Object.entries(linux.sysctl ?? {})) {
    const key = dotted(name);
    checkSysctl(key, namespaces);
    list.add(`/linux/sysctl/${name.replaceAll("/", "~1")}`, { op: "set-sysctl", key, value });
  }
  return list.steps;
}

/** sysctl.d(5): the first separator decides; with slashes, dots belong to the names and become slashes' partners. */
function dotted(name: string): string {
  const slash = name.indexOf("/");
  const dot = name.indexOf(".");
  if (slash === -1 || (dot !== -1 && dot < slash)) return name;
  return name.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

const ipcKeys = new Set(
  ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"].map(
    (name) => `kernel.${name}`,
  ),
);

/** Which namespace a kernel parameter belongs to; undefined where it is the whole machine's. */
export function sysctlNamespace(key: string): NamespaceType | undefined {
  if (ipcKeys.has(key) || key.startsWith("fs.mqueue.")) return "ipc";
  if (key.startsWith("net.")) return "network";
  if (key === "kernel.domainname") return "uts";
  if (key.startsWith("user.")) return "user";
  return undefined;
}

function checkSysctl(key: string, namespaces: PlanContext["namespaces"]): void {
  const components = key.split(/[./]/);
  if (components.some((component) => component === "") || !/^[\w.:@/*-]+$/.test(key))
    throw invalidParameter(`sysctl ${key}: is no name of a kernel parameter`);
  if (key === "kernel.hostname")
    throw invalidParameter("sysctl kernel.hostname: use the field hostname, which sets it");
  const namespace = sysctlNamespace(key);
  if (namespace === undefined)
    throw invalidParameter(`sysctl ${key}: is not separate in a container, setting it would change the host`);
  if (!namespaces.has(namespace))
    throw invalidParameter(
      `sysctl ${key}: is not allowed without a ${namespace} namespace of the container's own, as it would change the host`,
    );
}
