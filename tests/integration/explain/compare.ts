/** What a process in a container says about it, in sections; for busybox's shell. */
export const probe = `
section() { echo "== $1"; }
section mounts; cut -d' ' -f5- /proc/self/mountinfo
section status; grep -E '^(Cap|NoNewPrivs|Uid|Gid|Groups|Umask)' /proc/self/status
section cgroup; cat /proc/self/cgroup
section limits; for f in memory/memory.limit_in_bytes memory.max pids/pids.max pids.max cpu/cpu.cfs_quota_us cpu.max; do
  [ ! -e /sys/fs/cgroup/$f ] || echo "$f $(cat /sys/fs/cgroup/$f)"; done
section rlimits; cat /proc/self/limits
section hostname; hostname; uname -m
section kernel; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax /proc/self/oom_score_adj
ionice; cat /proc/self/uid_map /proc/self/timens_offsets
section directory; pwd
section environment; env | sort
section devices; ls -l /dev | sed 's/[A-Z][a-z][a-z] .* \\([^ ]*\\( -> .*\\)*\\)$/\\1/'
section processes; ls -d /proc/[0-9]*
section interfaces; ls /sys/class/net
section written; [ -w /proc/sys/kernel/hostname ] && echo hostname; cat /data/file 2>/dev/null; true
`;

/** By section. Mounts are target, options, file system: what lies below an overlay differs between any two containers. */
export function report(output: string): Record<string, string[]> {
  const sections: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of output.trimEnd().split("\n")) {
    if (line.startsWith("== ")) {
      lines = [];
      sections[line.slice(3)] = lines;
    } else lines.push(line);
  }
  return { ...sections, mounts: (sections.mounts ?? []).map(mountFacts) };
}

/** Of the fields 5 and following of a line of mountinfo: proc_pid_mountinfo(5). */
function mountFacts(line: string): string {
  const [before = "", after = ""] = line.split(" - ");
  const [target, options] = before.split(" ");
  const [fstype, , superOptions] = after.split(" ");
  return [target, options, fstype, fstype === "overlay" ? "" : superOptions].join(" ");
}
