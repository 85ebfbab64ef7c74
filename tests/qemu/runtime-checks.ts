import { exampleSpec } from "../../src/runtime/lifecycle/example-spec.ts";
import { checkpointBundles } from "./checkpoint-checks.ts";

/** What `explain --as shell` calls, and BusyBox has not, or not with all options. */
export const plainPrograms = [
  ...["unshare", "nsenter", "mount", "umount", "findmnt", "pivot_root", "setpriv", "setsid", "prlimit"],
  ...["realpath", "rm", "mktemp", "mkfifo", "dash"],
];

const example = exampleSpec();
const process = { ...example.process, terminal: false, cwd: "/", args: ["sleep", "600"] };

/** Limits of every controller that the guest has. */
const limited = {
  ...example,
  process,
  linux: {
    ...example.linux,
    cgroupsPath: "/runtime/box",
    resources: {
      ...example.linux?.resources,
      memory: { limit: 64 << 20, swap: 96 << 20, reservation: 16 << 20 },
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "0" },
      pids: { limit: 20 },
      hugepageLimits: [{ pageSize: "2MB", limit: 4 << 20 }],
      unified: { "memory.high": String(48 << 20), "cgroup.max.depth": "3" },
    },
  },
};

/** What a process sees of itself; the same in gantry's container and in that of the script. */
const look = [
  "hostname; cat /proc/self/cgroup; id",
  "grep -E '^(Cap|NoNew)' /proc/self/status",
  "cut -d' ' -f5,6 /proc/self/mountinfo | sort",
  "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; ls /dev | sort; ls /proc | grep -c '^[0-9]'",
].join("; ");
const looking = { ...limited, process: { ...process, args: ["sh", "-c", look] } };

const owner = { uid: 1000, gid: 1000 };
const unprivileged = exampleSpec(owner);
const delegated = {
  ...unprivileged,
  process: { ...process, args: ["sh", "-c", "id -u; cat /proc/self/cgroup /sys/fs/cgroup/pids.max"] },
  linux: { ...unprivileged.linux, resources: { pids: { limit: 7 }, memory: { limit: 32 << 20 } } },
};

const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
/** More than whoever starts the container may have. */
const manyFiles = 5000;
const mapped = {
  ...example,
  process: { ...process, rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: manyFiles }] },
  linux: {
    ...example.linux,
    namespaces: [...(example.linux?.namespaces ?? []), { type: "user" }],
    uidMappings: map,
    gidMappings: map,
  },
};

/** A disk in memory, which the module brd makes: /dev/ram0. */
const ramDisk = { major: 1, minor: 0 };
const blockIO = {
  weight: 500,
  throttleReadBpsDevice: [{ ...ramDisk, rate: 1 << 20 }],
  throttleWriteBpsDevice: [{ ...ramDisk, rate: 2 << 20 }],
  throttleReadIOPSDevice: [{ ...ramDisk, rate: 30 }],
  throttleWriteIOPSDevice: [{ ...ramDisk, rate: 40 }],
};
const withResources = (cgroupsPath: string, resources: object) => ({
  ...example,
  process,
  linux: { ...example.linux, cgroupsPath, resources: { ...example.linux?.resources, ...resources } },
});
const blocked = withResources("/runtime/blocked", { blockIO });
const remote = withResources("/runtime/remote", { rdma: { mlx5_1: { hcaHandles: 3 } } });

/** What the checks need beside the modules of the engine. */
export const runtimeModules = ["brd", "bfq"];

/** Each is the config.json of a bundle below /images/bundles. */
export const bundles: Readonly<Record<string, object>> = {
  limited,
  looking,
  delegated,
  mapped,
  blocked,
  remote,
  ...checkpointBundles,
};

/** Checks of the OCI runtime on cgroup v2; they need no engine. */
export const runtimeChecks: Readonly<Record<string, string>> = {
  "runtime: limits of all controllers stand in the files of cgroup v2": `
    for name in limited looking delegated mapped; do
      mkdir -p /images/bundles/$name/rootfs/bin
      cp /bin/busybox /images/bundles/$name/rootfs/bin/
      chroot /images/bundles/$name/rootfs /bin/busybox --install -s /bin
    done
    runtime create --bundle /images/bundles/limited box
    cd /sys/fs/cgroup/runtime/box
    same "$(cat memory.max memory.swap.max memory.low memory.high | xargs)" '67108864 33554432 16777216 50331648'
    same "$(cat cpu.max cpu.weight cpuset.cpus pids.max cgroup.max.depth | xargs)" '50000 100000 59 0 20 3'
    same "$(cat hugetlb.2MB.max)" 4194304
    same "$(runtime state box | sed -n 's/.*"status": "\\(.*\\)",/\\1/p')" created
    runtime start box`,
  "runtime: exec, ps, pause, resume, update": `
    cd /sys/fs/cgroup/runtime/box
    same "$(runtime exec box cat /proc/self/cgroup)" 0::/
    same "$(runtime ps --format json box | tr -d ' \\n')" "[$(cat cgroup.procs)]"
    runtime pause box
    same "$(runtime state box | sed -n 's/.*"status": "\\(.*\\)",/\\1/p')" paused
    same "$(cat cgroup.freeze)" 1
    refused runtime exec box true 2> /tmp/refused
    grep -q 'cannot exec in a paused container' /tmp/refused
    runtime resume box
    same "$(cat cgroup.freeze)" 0
    runtime update --memory 50331648 --memory-swap 60817408 --pids-limit 9 --cpu-share 1024 box
    same "$(cat memory.max memory.swap.max pids.max cpu.weight | xargs)" '50331648 10485760 9 100'`,
  "runtime: update keeps what it does not name, also in files of two values": `
    cd /sys/fs/cgroup/runtime/box
    was="$(cat cpu.max)"
    runtime update --cpu-quota 20000 --cpu-period 50000 box
    runtime update --cpu-period 40000 box
    same "$(cat cpu.max)" '20000 40000'
    runtime update --cpu-quota 30000 box
    same "$(cat cpu.max)" '30000 40000'
    runtime update --memory-swap 54525952 box
    same "$(cat memory.max memory.swap.max | xargs)" '50331648 4194304'
    echo "$was" > cpu.max
    runtime update --memory-swap 60817408 box`,
  "runtime: events --stats has pressure, and swap together with memory": `
    runtime events --stats box > /tmp/stats
    grep -q '"swap":{"limit":60817408,' /tmp/stats
    same "$(grep -o '"psi":{"some":{"avg10":[0-9.]*,' /tmp/stats | wc -l)" 3
    grep -q '"pids":{"current":1,"limit":9}' /tmp/stats`,
  "runtime: limits of disks stand in io.max and io.weight, or in io.bfq.weight where that scheduler is": `
    mkdir -p /images/bundles/blocked/rootfs/bin
    cp /bin/busybox /images/bundles/blocked/rootfs/bin/
    chroot /images/bundles/blocked/rootfs /bin/busybox --install -s /bin
    runtime create --bundle /images/bundles/blocked disk
    files=/sys/fs/cgroup/runtime/blocked
    same "$(cat $files/io.max)" '1:0 rbps=1048576 wbps=2097152 riops=30 wiops=40'
    same "$(head -n 1 $files/io.weight)" 'default 4950'
    runtime delete --force disk
    mkdir /sys/fs/cgroup/caller # where a cgroup shows which files it has
    sh -euc 'echo $$ > /sys/fs/cgroup/caller/cgroup.procs
      exec gantry runtime --root /run/runtime create --bundle /images/bundles/blocked disk'
    same "$(head -n 1 $files/io.bfq.weight)" 'default 500'
    runtime delete --force disk
    rmdir /sys/fs/cgroup/caller`,
  "runtime: a limit of a device that is not there is refused by name, and nothing is left": `
    mkdir -p /images/bundles/remote/rootfs/bin
    refused runtime create --bundle /images/bundles/remote remote 2> /tmp/refused
    cat /tmp/refused
    grep -q 'linux.resources.rdma.mlx5_1' /tmp/refused
    [ ! -e /sys/fs/cgroup/runtime/remote ]
    same "$(runtime list -q)" box`,
  "runtime: delete leaves nothing": `
    refused runtime delete box 2> /dev/null
    runtime kill box KILL
    for i in $(seq 50); do runtime delete box 2> /dev/null && break; sleep 0.1; done
    [ ! -e /sys/fs/cgroup/runtime/box ]
    same "$(runtime list -q)" ''`,
  "runtime: the script of explain makes the same container": `
    runtime run --bundle /images/bundles/looking box > /tmp/gantry-sees
    # BusyBox's shell takes its own programs first, whatever PATH says.
    gantry explain --bundle /images/bundles/looking --as shell | sed 's:/bin/sh :/usr/bin/dash :' > /tmp/script
    PATH=/usr/bin:$PATH /usr/bin/dash /tmp/script > /tmp/script-sees
    diff /tmp/gantry-sees /tmp/script-sees
    grep -qx 67108864 /tmp/script-sees`,
  "runtime: hard limits are raised for a user namespace, in which nobody could": `
    chown -R 100000:100000 /images/bundles/mapped/rootfs
    ulimit -n 1000
    runtime run --detach --bundle /images/bundles/mapped mapped < /dev/null > /tmp/said 2>&1 || cat /tmp/said
    same "$(runtime exec mapped sh -c 'ulimit -Hn; grep -c " ${manyFiles} " /proc/1/limits; cat /proc/self/uid_map' | xargs)" \
      '${manyFiles} 1 0 100000 65536'
    runtime delete --force mapped`,
  "runtime: an unprivileged user gets limits where a cgroup is delegated": `
    user=/sys/fs/cgroup/user
    mkdir -p $user/shell /tmp/user
    echo '+memory +pids' > $user/cgroup.subtree_control
    chown -R 1000:1000 /images/bundles/delegated /tmp/user $user $user/cgroup.procs $user/cgroup.subtree_control
    chown 1000:1000 $user/shell $user/shell/cgroup.procs
    same "$(sh -c "echo \\$\\$ > $user/shell/cgroup.procs
      XDG_RUNTIME_DIR=/tmp/user exec /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups \\
        gantry runtime run --bundle /images/bundles/delegated mine" | xargs)" '0 0::/ 7'
    same "$(find $user -mindepth 1 -type d)" $user/shell`,
  "runtime: the helper cannot be overwritten, though its mode cannot be sealed here": `
    runtime run --detach --bundle /images/bundles/limited box < /dev/null > /dev/null 2>&1
    runtime exec box /bin/sh -c 'printf "#!/proc/self/exe dump-plan\\n" > /tmp/evil && chmod 755 /tmp/evil' || :
    mkdir -p /images/bundles/limited/rootfs/tmp
    printf '#!/proc/self/exe dump-plan\\n' > /images/bundles/limited/rootfs/tmp/evil
    chmod 755 /images/bundles/limited/rootfs/tmp/evil
    mkfifo /tmp/hold; sleep 30 > /tmp/hold & holder=$!
    runtime exec box /tmp/evil < /tmp/hold > /tmp/evil.out 2>&1 &
    find='grep -l dump-pla[n] /proc/[0-9]*/cmdline | grep -v self | cut -d/ -f3 | head -n 1'
    for i in $(seq 100); do p=$(runtime exec box sh -c "$find"); [ -n "$p" ] && break; sleep 0.1; done
    [ -n "$p" ]
    refused runtime exec box sh -c "echo x > /proc/$p/exe" 2> /tmp/refused
    cat /tmp/refused; grep -qE 'Text file busy|Operation not permitted|Permission denied' /tmp/refused
    refused runtime exec box sh -c "exec 5< /proc/$p/exe; kill -9 $p; sleep 0.2; echo x >> /proc/self/fd/5" 2> /tmp/refused
    cat /tmp/refused; grep -qE 'Operation not permitted|Permission denied' /tmp/refused
    kill $holder
    same "$(runtime exec box echo fine)" fine
    runtime delete --force box`,
};
