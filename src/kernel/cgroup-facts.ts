/** One mounted hierarchy of cgroup v1. */
export interface CgroupHierarchy {
  /** Its controllers (`cpu`, `cpuacct`), or its name (`name=systemd`). */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
}

/** How this machine's cgroups are mounted. Paths have no slash at the end. */
export type CgroupFacts =
  | {
      readonly version: 1;
      readonly hierarchies: readonly CgroupHierarchy[];
      /** The v2 hierarchy of a hybrid system. */
      readonly unified: string | undefined;
      /** memory.memsw.* exist. */
      readonly swapAccounting: boolean;
      /** blkio.weight or blkio.bfq.weight, or neither. */
      readonly weightFile: string | undefined;
      readonly cpusetCpus: string;
      readonly cpusetMems: string;
    }
  | {
      readonly version: 2;
      readonly mountPoint: string;
      /** Those of the mounted root. */
      readonly controllers: readonly string[];
      readonly swapAccounting: boolean;
      /** io.bfq.weight or io.weight, or neither. */
      readonly weightFile: string | undefined;
      readonly cpusetCpus: string;
      readonly cpusetMems: string;
    }
  | { readonly version: 0 };

/**
 * Derives them from the texts of /proc/self/mountinfo and /proc/self/cgroup; `readLine` reads a small file, and
 * answers an empty string for a missing one. A system without cgroups has version 0.
 */
export function detectCgroups(
  mountinfo: string,
  ownCgroups: string,
  readLine: (path: string) => string,
): CgroupFacts {
  const mounts = parseCgroupMounts(mountinfo);
  const unified = mounts.find(({ fstype }) => fstype === "cgroup2")?.mountPoint;
  const hierarchies = distinct(
    mounts.filter(({ fstype }) => fstype === "cgroup").map((mount) => hierarchyOf(mount)),
  );
  if (hierarchies.length > 0) return versionOne(hierarchies, unified, readLine);
  if (unified === undefined) return { version: 0 };
  const own = /^0::(.*)$/m.exec(ownCgroups)?.[1] ?? "/";
  const controllers = readLine(`${unified}/cgroup.controllers`).split(" ").filter(Boolean);
  // The root has no files for limits: where this process is in the root itself, take them for present.
  const present = (file: string) => own === "/" || readLine(`${unified}${own}/${file}`) !== "";
  return {
    version: 2,
    mountPoint: unified,
    controllers,
    swapAccounting: present("memory.swap.max"),
    weightFile: !controllers.includes("io")
      ? undefined
      : own !== "/" && present("io.bfq.weight")
        ? "io.bfq.weight"
        : "io.weight",
    cpusetCpus: readLine(`${unified}/cpuset.cpus.effective`),
    cpusetMems: readLine(`${unified}/cpuset.mems.effective`),
  };
}

function versionOne(
  hierarchies: readonly CgroupHierarchy[],
  unified: string | undefined,
  readLine: (path: string) => string,
): CgroupFacts {
  const at = (controller: string) =>
    hierarchies.find(({ controllers }) => controllers.includes(controller))?.mountPoint ?? "";
  const memory = at("memory");
  const cpuset = at("cpuset");
  const blkio = at("blkio");
  return {
    version: 1,
    hierarchies,
    unified,
    swapAccounting: readLine(`${memory}/memory.memsw.limit_in_bytes`) !== "",
    weightFile: weightFileOf(blkio, readLine),
    cpusetCpus: readLine(`${cpuset}/cpuset.cpus`),
    cpusetMems: readLine(`${cpuset}/cpuset.mems`),
  };
}

/** The root group has no blkio.bfq.weight, but a statistics file tells whether the scheduler is there. */
function weightFileOf(blkio: string, readLine: (path: string) => string): string | undefined {
  if (readLine(`${blkio}/blkio.weight`) !== "") return "blkio.weight";
  return readLine(`${blkio}/blkio.bfq.io_serviced`) !== "" ? "blkio.bfq.weight" : undefined;
}

interface MountLine {
  readonly mountPoint: string;
  readonly fstype: string;
  readonly superOptions: string;
}

/** proc_pid_mountinfo(5): ID PARENT DEV ROOT MOUNTPOINT OPTIONS [TAGS] - FSTYPE SOURCE SUPEROPTIONS. */
function parseCgroupMounts(text: string): MountLine[] {
  const mounts: MountLine[] = [];
  for (const line of text.split("\n")) {
    if (!line.includes(" - cgroup")) continue; // most lines of a busy machine
    const [before = "", after = ""] = line.split(" - ", 2);
    const [fstype = "", , superOptions = ""] = after.split(" ");
    if (fstype !== "cgroup" && fstype !== "cgroup2") continue;
    mounts.push({ mountPoint: unescapeOctal(before.split(" ")[4] ?? ""), fstype, superOptions });
  }
  return mounts;
}

const unescapeOctal = (text: string) =>
  text.includes("\\")
    ? text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text;

const notControllers = new Set(["rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "none"]);

function hierarchyOf({ mountPoint, superOptions }: MountLine): CgroupHierarchy {
  const controllers = superOptions
    .split(",")
    .filter((option) => !notControllers.has(option) && !option.startsWith("release_agent="));
  return { controllers, mountPoint };
}

/** A hierarchy may be mounted more than once (inside containers it is); the first place serves. */
function distinct(hierarchies: readonly CgroupHierarchy[]): CgroupHierarchy[] {
  const byControllers = new Map<string, CgroupHierarchy>();
  for (const hierarchy of hierarchies) {
    const key = hierarchy.controllers.join(",");
    if (key !== "" && !byControllers.has(key)) byControllers.set(key, hierarchy);
  }
  return [...byControllers.values()];
}
