import type { OciSeccomp, SeccompAction } from "../../formats/oci-runtime.ts";

const verbs: Record<SeccompAction, string> = {
  SCMP_ACT_ALLOW: "allowed",
  SCMP_ACT_ERRNO: "refused",
  SCMP_ACT_KILL: "fatal to the thread",
  SCMP_ACT_KILL_THREAD: "fatal to the thread",
  SCMP_ACT_KILL_PROCESS: "fatal to the process",
  SCMP_ACT_TRAP: "answered with SIGSYS",
  SCMP_ACT_TRACE: "given to a tracer",
  SCMP_ACT_LOG: "allowed and logged",
  SCMP_ACT_NOTIFY: "given to a listener",
};

/** `385 calls allowed, 4 of them by their arguments, 1 refused; all others refused with errno 1`. */
export function summarizeSeccomp({ defaultAction, defaultErrnoRet, syscalls = [] }: OciSeccomp): string {
  const byAction = new Map<SeccompAction, { names: Set<string>; conditional: Set<string> }>();
  for (const { names, action, args = [] } of syscalls) {
    const group = byAction.get(action) ?? { names: new Set(), conditional: new Set() };
    byAction.set(action, group);
    for (const name of names) {
      group.names.add(name);
      if (args.length > 0) group.conditional.add(name);
    }
  }
  const parts = [...byAction].map(([action, { names, conditional }]) => {
    const some = conditional.size === 0 ? "" : `, ${conditional.size} of them by their arguments`;
    return `${names.size} ${names.size === 1 ? "call" : "calls"} ${verbs[action]}${some}`;
  });
  const errno = defaultAction === "SCMP_ACT_ERRNO" ? ` with errno ${defaultErrnoRet ?? 1}` : "";
  return [parts.join(", "), `all others ${verbs[defaultAction]}${errno}`].filter(Boolean).join("; ");
}
