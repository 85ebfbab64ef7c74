import { counting, prepared } from "./checkpoint-checks.ts";
import type { GuestChecks } from "./guest.ts";

const scope = "gantry-count.scope";
const directory = `/sys/fs/cgroup/machine.slice/machine-counts.slice/${scope}`;

/** Limits that systemd knows, and one that it rounds (123.45 % of a processor): criu works within them, too. */
const countInUnit = {
  ...counting,
  linux: {
    ...counting.linux,
    cgroupsPath: "machine-counts.slice:gantry:count",
    resources: {
      ...counting.linux.resources,
      memory: { limit: 96 << 20, swap: 128 << 20, reservation: 16 << 20 },
      cpu: { quota: 123_450, period: 100_000, cpus: "0-1", mems: "0" },
      pids: { limit: 9 },
    },
  },
};

/** A hook that sees the unit, and refuses. */
const countRefused = {
  ...countInUnit,
  hooks: {
    createRuntime: [
      {
        path: "/bin/sh",
        args: [
          "sh",
          "-c",
          `/usr/bin/systemctl is-active ${scope} > /tmp/seen; cat ${directory}/pids.max >> /tmp/seen; exit 1`,
        ],
      },
    ],
  },
};

/** Each is the config.json of a bundle below /images/bundles. */
export const systemdCheckpointBundles: Readonly<Record<string, object>> = { countInUnit, countRefused };

const started = `${prepared}
    sd delete --force count # the check before may have left its own
    run() { sd run --detach --bundle /images/bundles/countInUnit count < /dev/null > /tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
    d='${directory}'
    # Asked at once, as each call takes its time here.
    limits() {
      systemctl show --property ActiveState,ControlGroup,Delegate,MemoryMax,MemoryLow,MemorySwapMax,TasksMax ${scope}
      systemctl show --property CPUQuotaPerSecUSec,AllowedCPUs,AllowedMemoryNodes,DevicePolicy,DeviceAllow ${scope}
      (cd $d; grep -H . memory.max memory.low memory.swap.max cpu.max pids.max cpuset.cpus cpuset.mems)
    }
    no_unit() {
      same "$(systemctl list-units --all --no-legend 'gantry-*')" ''
      [ ! -e $d ]
    }`;

/** Checks of `checkpoint` and `restore` of a container whose cgroup systemd makes, with a real criu. */
export const systemdCheckpointChecks: GuestChecks = {
  "checkpoint takes the unit away, and restore makes it again around the process, with its limits": `${started}
    run
    limits > /tmp/before
    for limit in ActiveState=active MemoryMax=100663296 TasksMax=9 CPUQuotaPerSecUSec=1.240000s AllowedCPUs=0-1 \\
      memory.max:100663296 pids.max:9 'cpu.max:123450 100000' "ControlGroup=\${d#/sys/fs/cgroup}"; do
      grep -qxF "$limit" /tmp/before || { echo "no $limit"; cat /tmp/before; return 1; }
    done
    beyond 2
    sd checkpoint --image-path /tmp/images count
    same "$(runtime list -q)" ''
    no_unit
    saved=$(counted); echo "saved at $saved"; sleep 0.3; same "$(counted)" "$saved"
    sd restore --detach --pid-file /tmp/pid --image-path /tmp/images --bundle /images/bundles/countInUnit count \\
      < /dev/null >> /tmp/said 2>&1 || { cat /tmp/said; return 1; }
    beyond "$saved"
    [ "$(counted)" -lt $((saved + 200)) ]
    limits > /tmp/after
    diff /tmp/before /tmp/after
    p=$(cat /tmp/pid)
    same "$(runtime state count | sed -n 's/.*"pid": \\(.*\\),/\\1/p') $(status count)" "$p running"
    same "$(sed 's/^0:://' /proc/$p/cgroup)" "\${d#/sys/fs/cgroup}"
    same "$(sd exec count cat /proc/self/cgroup)" 0::/
    same "$(ps | grep -E '[g]antry-helper|[c]riu swrk')" '' # nothing but the container keeps the unit
    systemctl daemon-reload
    sd update --pids-limit 8 count
    same "$(shown ${scope} TasksMax) $(cat $d/pids.max)" 'TasksMax=8 8'
    now=$(counted); beyond "$now"
    sd kill count KILL
    until_works sd delete count
    no_unit
    same "$(tail -n 1 /tmp/hooks)" poststop`,
  "a restore into a unit that is in use is refused, and one that fails leaves no unit": `${started}
    run
    beyond 2
    sd checkpoint --leave-running --image-path /tmp/left count
    same "$(shown ${scope} ActiveState)" ActiveState=active
    refused sd restore --detach --image-path /tmp/left --bundle /images/bundles/countInUnit other 2> /tmp/refused < /dev/null
    cat /tmp/refused
    grep -q 'unit ${scope} exists already' /tmp/refused
    now=$(counted); beyond "$now"
    sd delete --force count
    no_unit
    rm /images/bundles/countInUnit/rootfs/bin/busybox # criu misses it once it has made processes
    for bundle in countRefused countInUnit; do
      refused sd restore --detach --image-path /tmp/left --bundle /images/bundles/$bundle count 2> /tmp/refused < /dev/null
      cat /tmp/refused
      no_unit
      same "$(runtime list -q)" ''
      same "$(ps | grep -E '[g]antry-helper|[c]riu swrk')" ''
      refused grep criu-root /proc/mounts
      grep -qE 'createRuntime hook|criu failed: restore.*busybox' /tmp/refused
    done
    same "$(xargs < /tmp/seen)" 'active 9'`,
};
