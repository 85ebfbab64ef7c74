import { join } from "node:path";
import { exampleSpec } from "../../src/runtime/lifecycle/example-spec.ts";

/** What criu asks of the kernel to see sockets, to keep the network still meanwhile, and before it begins at all. */
export const checkpointModules = [
  ...["unix_diag", "tcp_diag", "udp_diag", "raw_diag", "af_packet_diag", "netlink_diag"],
  ...[
    "veth",
    "nf_tables",
    "nf_conntrack_netlink",
    "ip_tables",
    "iptable_filter",
    "ip6_tables",
    "ip6table_filter",
    "xt_mark",
  ],
];

/** Why there are no checks of checkpoints where `findCheckpointPrograms` finds nothing. */
export const noCheckpointPrograms = "no criu, or not all programs that it calls";

/** criu and the programs that it calls, by their path in the guest; undefined where they are not installed. */
export function findCheckpointPrograms(): Record<string, string> | undefined {
  const path = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const [criu, ip, tar, tables] = ["criu", "ip", "tar", "xtables-legacy-multi"].map((name) =>
    Bun.which(name, path),
  );
  const script = Bun.which("script");
  if (!criu || !ip || !tar || !tables || !script) return undefined;
  const extensions = `/usr/lib/${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu/xtables`;
  const restores = ["iptables-restore", "ip6tables-restore", "iptables-save", "ip6tables-save"];
  return {
    "usr/bin/criu": criu,
    "usr/bin/ip": ip,
    "usr/bin/tar": tar,
    "usr/bin/script": script,
    ...Object.fromEntries(restores.map((name) => [`usr/bin/${name}`, tables])),
    ...Object.fromEntries(
      ["libxt_mark.so", "libxt_standard.so"].map((name) => {
        const file = join(extensions, name);
        return [file, file];
      }),
    ),
  };
}

const example = exampleSpec();
/** Counts in its memory alone, so that a new process would begin anew. */
const count = "i=0; while :; do i=$((i+1)); echo $i > /out/count; sleep 0.2; done";

/** The config.json of a container that counts into /tmp/out, and whose hooks write into /tmp/hooks. */
export const counting = {
  ...example,
  process: { ...example.process, terminal: false, cwd: "/", args: ["sh", "-c", count] },
  mounts: [
    ...(example.mounts ?? []),
    { destination: "/out", type: "bind", source: "/tmp/out", options: ["rbind", "rw"] },
    { destination: "/protected", type: "bind", source: "/tmp/out", options: ["rbind", "ro"] },
    { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"] },
  ],
  hooks: {
    createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "cat >> /tmp/hooks; echo >> /tmp/hooks"] }],
    poststop: [{ path: "/bin/sh", args: ["sh", "-c", "echo poststop >> /tmp/hooks"] }],
  },
  linux: {
    ...example.linux,
    cgroupsPath: "/runtime/count",
    resources: { ...example.linux?.resources, pids: { limit: 9 }, memory: { limit: 96 << 20 } },
  },
};

/** In a terminal, and in a network that it joined. */
const inTerminal = {
  ...counting,
  hooks: {},
  process: {
    ...counting.process,
    terminal: true,
    args: ["sh", "-c", "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.4; done"],
  },
  linux: {
    ...counting.linux,
    cgroupsPath: "/runtime/terminal",
    namespaces: example.linux?.namespaces?.map((namespace) =>
      namespace.type === "network" ? { ...namespace, path: "/run/joined-net" } : namespace,
    ),
  },
};

/** Each is the config.json of a bundle below /images/bundles. */
export const checkpointBundles: Readonly<Record<string, object>> = { counting, inTerminal };

/** What each check of a count begins with. */
export const prepared = `
    PATH=/usr/bin:$PATH
    # A count that is just being written is not there for a moment, and for a longer one while memory is still on its way.
    counted() { for i in $(seq 50); do n=$(cat /tmp/out/count); [ -n "$n" ] && break; sleep 0.1; done; echo "$n"; }
    mkdir -p /tmp/out; echo 0 > /tmp/out/count # the check before left its own
    beyond() { for i in $(seq 100); do [ "$(counted)" -gt "$1" ] && return; sleep 0.3; done; return 1; }`;

/** Checks of \`checkpoint\` and \`restore\` with a real criu. */
export const checkpointChecks: Readonly<Record<string, string>> = {
  "checkpoint: a counter goes on where it was, with its limits, mounts and hooks": `${prepared}
    for name in counting inTerminal; do
      mkdir -p /images/bundles/$name/rootfs/bin
      cp /bin/busybox /images/bundles/$name/rootfs/bin/
      chroot /images/bundles/$name/rootfs /bin/busybox --install -s /bin
    done
    runtime run --detach --bundle /images/bundles/counting count < /dev/null > /tmp/said 2>&1 || cat /tmp/said
    runtime exec count sh -c 'echo kept > /scratch/file'
    beyond 2
    runtime checkpoint --image-path /tmp/images count
    same "$(runtime list -q)" ''
    same "$(tail -n 1 /tmp/hooks)" poststop
    [ ! -e /sys/fs/cgroup/runtime/count ]
    saved=$(counted); echo "saved at $saved"; sleep 0.3; same "$(counted)" "$saved"
    rmdir /images/bundles/counting/rootfs/out # criu would not make it
    runtime restore --detach --pid-file /tmp/pid --image-path /tmp/images --bundle /images/bundles/counting count \\
      < /dev/null >> /tmp/said 2>&1 || { cat /tmp/said; return 1; }
    beyond $((saved + 3))
    [ "$(counted)" -lt $((saved + 200)) ]
    same "$(runtime state count | sed -n 's/.*"pid": \\(.*\\),/\\1/p')" "$(cat /tmp/pid)"
    grep -q "\\"id\\":\\"count\\",\\"status\\":\\"creating\\",\\"pid\\":$(cat /tmp/pid)," /tmp/hooks
    cd /sys/fs/cgroup/runtime/count
    same "$(cat pids.max memory.max | xargs)" '9 100663296'
    grep -qx "$(cat /tmp/pid)" cgroup.procs`,
  "checkpoint: what is restored can be told, entered, paused and ended like any other": `${prepared}
    same "$(runtime exec count cat /scratch/file)" kept
    for place in /new /protected/new; do
      refused runtime exec count touch $place 2> /tmp/refused
      grep -q 'Read-only file system' /tmp/refused
    done
    same "$(runtime exec count cat /proc/kcore /proc/1/status | sed -n 's/^CapBnd:\\t0*//p')" 20000420
    runtime exec count grep -q 'NoNewPrivs:.1' /proc/1/status || grep -q 'process.noNewPrivileges: criu did not' /tmp/said
    runtime pause count; now=$(counted); sleep 0.3; same "$(counted)" "$now"; runtime resume count; beyond "$now"
    ! grep criu-root /proc/mounts
    runtime kill count KILL
    for i in $(seq 50); do runtime delete count 2> /dev/null && break; sleep 0.1; done
    same "$(runtime list -q)" ''
    [ ! -e /sys/fs/cgroup/runtime/count ]`,
  "checkpoint: in two steps, and the container runs on": `${prepared}
    runtime run --detach --bundle /images/bundles/counting count < /dev/null > /tmp/said 2>&1 || cat /tmp/said
    runtime checkpoint --pre-dump --image-path /tmp/steps/first count
    runtime checkpoint --leave-running --parent-path ../first --image-path /tmp/steps/second count
    [ -h /tmp/steps/second/parent ]
    beyond "$(counted)"
    runtime delete --force count`,
  "checkpoint: memory comes over from a page server when it is touched, as to another machine": `${prepared}
    mkdir /images/bundles/moved /tmp/arriving
    sed 's#/runtime/count#/runtime/moved#' /images/bundles/counting/config.json > /images/bundles/moved/config.json
    cp -a /images/bundles/counting/rootfs /images/bundles/moved/
    runtime run --detach --bundle /images/bundles/counting count < /dev/null > /tmp/said 2>&1 || cat /tmp/said
    beyond 2
    saved=$(counted)
    mkfifo /tmp/ready
    runtime checkpoint --lazy-pages --page-server 127.0.0.1:9000 --status-fd 7 --image-path /tmp/lazy \
      --work-path /tmp/leaving count 7> /tmp/ready &
    head -c 1 /tmp/ready > /dev/null # from here on it serves
    criu lazy-pages --images-dir /tmp/lazy --work-dir /tmp/arriving --page-server --address 127.0.0.1 --port 9000 &
    runtime restore --detach --lazy-pages --image-path /tmp/lazy --work-path /tmp/arriving \
      --bundle /images/bundles/moved arrived < /dev/null >> /tmp/said 2>&1 || { cat /tmp/said; return 1; }
    wait # the one that was saved is gone
    now=$(counted)
    [ "$now" -ge "$saved" ]
    beyond "$now"
    same "$(runtime list -q)" arrived
    runtime delete --force arrived`,
  "checkpoint: a terminal is given to who restores, and a joined network stays": `${prepared}
    touch /run/joined-net
    /usr/bin/unshare --net=/run/joined-net true
    bundle=/images/bundles/inTerminal
    /usr/bin/script -qfc "gantry runtime --root /run/runtime run --bundle $bundle tty" /tmp/first > /dev/null < /dev/null &
    for i in $(seq 100); do grep -q 'tick 3' /tmp/first && break; sleep 0.3; done
    runtime checkpoint --image-path /tmp/tty tty
    wait
    last=$(grep -o 'tick [0-9]*' /tmp/first | tail -n 1 | cut -d' ' -f2)
    /usr/bin/script -qfc "gantry runtime --root /run/runtime restore --image-path /tmp/tty --bundle $bundle tty" /tmp/second > /dev/null < /dev/null &
    for i in $(seq 100); do grep -q "tick $((last + 2))" /tmp/second && break; sleep 0.3; done
    same "$(readlink /proc/$(runtime ps --format json tty | tr -d '[] ' | cut -d, -f1)/ns/net)" "net:[$(stat -c %i /run/joined-net)]"
    runtime kill tty KILL
    wait
    cat /tmp/second
    refused grep -q 'tick 1$' /tmp/second
    same "$(runtime list -q)" ''
    umount /run/joined-net`,
  "checkpoint: criu's reason is told, and the container runs on": `${prepared}
    runtime run --detach --bundle /images/bundles/counting count < /dev/null > /tmp/said 2>&1 || cat /tmp/said
    inside=/proc/$(runtime ps --format json count | tr -d '[] ' | cut -d, -f1)/ns/mnt
    /usr/bin/nsenter --mount=$inside /bin/mount -t ramfs unknown /scratch
    refused runtime checkpoint --work-path /tmp/dumping --image-path /tmp/failed count 2> /tmp/refused
    cat /tmp/refused
    grep -q 'criu failed: checkpoint.*, log file: /tmp/dumping/dump.log' /tmp/refused
    beyond "$(counted)"
    refused runtime restore --image-path /tmp/failed --bundle /images/bundles/counting other 2> /tmp/refused
    cat /tmp/refused
    grep -qE 'in use by another|criu failed: restore.*, log file: /tmp/failed/restore.log' /tmp/refused
    runtime delete --force count
    refused runtime restore --image-path /tmp/failed --bundle /images/bundles/counting other 2> /tmp/refused
    cat /tmp/refused
    grep -q 'criu failed: restore.*, log file: /tmp/failed/restore.log' /tmp/refused
    same "$(runtime list -q)" ''
    ! grep criu-root /proc/mounts
    [ ! -e /sys/fs/cgroup/runtime/count ]`,
};
