import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { invalidParameter, type PlatformErrorOptions, systemError } from "../../errors/platform-error.ts";
import type { OciIdMapping, OciLinux } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { capabilityBit } from "../capabilities.ts";
import type { PlanOptions } from "../plan/plan-options.ts";
import { parseSubordinateIds, uncoveredId } from "./subordinate-id-ranges.ts";
import { userName } from "./user-name.ts";

export interface IdCaller {
  readonly uid: number;
  readonly gid: number;
  /** PATH, in which the tools are looked for. */
  readonly path: string;
}

const kinds = [
  { kind: "uid", field: "uidMappings", file: "/etc/subuid", tool: "newuidmap", capability: "CAP_SETUID" },
  { kind: "gid", field: "gidMappings", file: "/etc/subgid", tool: "newgidmap", capability: "CAP_SETGID" },
] as const;

type Kind = (typeof kinds)[number];

/**
 * The tools that write the id maps of a new user namespace, where this process may not: an unprivileged one may map its own id
 * alone (user_namespaces(7)). What they would refuse is refused here, with the reason.
 *
 * Errors: InvalidParameter for an id that is not among the caller's in /etc/subuid or /etc/subgid, System without the tool.
 * Spec:   newuidmap(1), subuid(5).
 */
export function findIdMapTools(
  linux: OciLinux,
  { capabilities }: Pick<HostFacts, "capabilities">,
  caller: IdCaller,
): NonNullable<PlanOptions["idMapTools"]> {
  const isMade = linux.namespaces?.some(({ type, path }) => type === "user" && path === undefined);
  if (isMade !== true) return {};
  const needed = kinds.filter(
    ({ kind, field, capability }) =>
      (capabilities.permitted & capabilityBit(capability)) === 0n &&
      !isOwnIdAlone(linux[field] ?? [], caller[kind]),
  );
  return Object.fromEntries(needed.map((kind) => [kind.kind, toolFor(kind, linux, caller)]));
}

const isOwnIdAlone = (mappings: readonly OciIdMapping[], id: number) =>
  mappings.length === 1 && mappings[0]?.size === 1 && mappings[0].hostID === id;

function toolFor(kind: Kind, linux: OciLinux, caller: IdCaller): string {
  checkRanges(kind, linux[kind.field] ?? [], caller);
  const path = caller.path.split(":").map((directory) => join(directory, kind.tool));
  const found = path.find((candidate) => candidate.startsWith("/") && isExecutable(candidate));
  if (found !== undefined) return found;
  throw systemError(
    `linux.${kind.field}: ${kind.tool} is not installed, and without it user ${userName(caller.uid)} can map no id but its own`,
    { code: "idmap.tool-missing", hint: "install the package uidmap (shadow-utils on Fedora)" },
  );
}

function checkRanges({ kind, field, file }: Kind, mappings: readonly OciIdMapping[], caller: IdCaller): void {
  if (hasOtherSource()) return;
  const user = userName(caller.uid);
  const ranges = parseSubordinateIds(readText(file), [user, String(caller.uid)]);
  const own = { start: caller[kind], count: 1 };
  for (const [index, { hostID, size }] of mappings.entries()) {
    const id = uncoveredId([own, ...ranges], hostID, size);
    if (id === undefined) continue;
    const wanted = `${kind}s ${hostID} to ${hostID + size - 1}`;
    const options: PlatformErrorOptions = {
      code: "idmap.not-subordinate",
      hint: `root may grant them: usermod --add-sub${kind}s ${hostID}-${hostID + size - 1} ${user}`,
    };
    throw ranges.length === 0
      ? invalidParameter(
          `linux.${field}[${index}]: user ${user} has no range in ${file}, but ${wanted} are to be mapped`,
          options,
        )
      : invalidParameter(
          `linux.${field}[${index}]: ${wanted} are to be mapped, but ${file} does not give ${kind} ${id} to user ${user}`,
          options,
        );
  }
}

/** The ranges may come from somewhere else than the files: then the tools alone know. */
const hasOtherSource = () => /^\s*subid:\s*(?!files\b)\w/m.test(readText("/etc/nsswitch.conf"));

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a missing file gives nothing to anybody
  }
}
