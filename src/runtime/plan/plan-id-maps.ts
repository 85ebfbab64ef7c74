import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciIdMapping } from "../../formats/oci-runtime.ts";
import { isNew, type PlanContext } from "./plan-context.ts";
import type { StepList } from "./step-list.ts";

/**
 * Plans the id maps of a new user namespace.
 *
 * Errors: InvalidParameter for maps without a user namespace, a new user namespace without maps, maps that overlap, and a process
 *         whose user or group is not among them.
 * Spec:   OCI Runtime Specification, "User namespace mappings"; user_namespaces(7).
 */
export function planIdMaps({ spec, linux, namespaces, options }: PlanContext, list: StepList): void {
  const kinds = [
    ["uid", "uidMappings", linux.uidMappings ?? []],
    ["gid", "gidMappings", linux.gidMappings ?? []],
  ] as const;
  for (const [kind, field, mappings] of kinds) {
    if (mappings.length > 0 && !namespaces.has("user"))
      throw invalidParameter(`linux.${field}: needs a user namespace`);
    // A joined user namespace has its maps; the spec repeats them for the runtime's own use.
    if (!isNew(namespaces, "user")) continue;
    if (mappings.length === 0)
      throw invalidParameter(`linux.${field}: a new user namespace needs id mappings`);
    checkMapped(spec.process?.user?.[kind] ?? 0, kind, field, mappings);
    const tool = options.idMapTools?.[kind];
    list.add(`/linux/${field}`, {
      op: "write-id-map",
      kind,
      map: formatIdMap(mappings, `linux.${field}`),
      ...(tool !== undefined && { tool }),
    });
  }
}

/** The kernel would only say that its number is invalid, once everything else is made. */
function checkMapped(id: number, kind: "uid" | "gid", field: string, mappings: readonly OciIdMapping[]) {
  if (mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size)) return;
  throw invalidParameter(`process.user.${kind}: ${id} is not mapped in the container's user namespace`, {
    hint: `linux.${field} has to have a line for it`,
  });
}

/** The format of /proc/PID/uid_map, one line for each mapping. Errors: InvalidParameter where they overlap. */
export function formatIdMap(mappings: readonly OciIdMapping[], place: string): string {
  if (mappings.length > 340) throw invalidParameter(`${place}: more than 340 mappings, the kernel's limit`);
  for (const [index, { containerID, hostID, size }] of mappings.entries()) {
    if (size === 0 || containerID + size > 2 ** 32 || hostID + size > 2 ** 32)
      throw invalidParameter(`${place}[${index}]: size ${size} does not fit`);
    for (const earlier of mappings.slice(0, index))
      if (
        overlap(earlier.containerID, earlier.size, containerID, size) ||
        overlap(earlier.hostID, earlier.size, hostID, size)
      )
        throw invalidParameter(`${place}[${index}]: overlaps an earlier mapping`);
  }
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

const overlap = (a: number, aSize: number, b: number, bSize: number) => a < b + bSize && b < a + aSize;
