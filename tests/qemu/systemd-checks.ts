import { exampleSpec } from "../../src/runtime/lifecycle/example-spec.ts";
import type { GuestChecks } from "./guest.ts";

const example = exampleSpec();
const process = { ...example.process, terminal: false, cwd: "/", args: ["sleep", "600"] };

/** Limits that systemd knows, one that it rounds (12.345 % of a processor), and one that it does not know. */
const limited = {
  ...example,
  process,
  annotations: {
    "org.systemd.property.TimeoutStopSec": "7",
    "org.systemd.property.Documentation": "['man:gantry(1)']",
  },
  linux: {
    ...example.linux,
    cgroupsPath: "machine-boxes.slice:gantry:box",
    resources: {
      ...example.linux?.resources,
      memory: { limit: 64 << 20, swap: 96 << 20, reservation: 16 << 20 },
      cpu: { shares: 512, quota: 12_345, period: 100_000, cpus: "0", mems: "0" },
      pids: { limit: 20 },
      hugepageLimits: [{ pageSize: "2MB", limit: 4 << 20 }],
      unified: { "memory.high": String(48 << 20) },
    },
  },
};

const plain = {
  ...example,
  process: { ...process, args: ["sh", "-c", "cat /proc/self/cgroup; exit 7"] },
  // In the host's cgroup namespace, so that it sees the whole path.
  linux: {
    ...example.linux,
    namespaces: example.linux?.namespaces?.filter(({ type }) => type !== "cgroup"),
  },
};

/** Says when its unit is there and its process in it, and stays at that. */
const lingering = {
  ...plain,
  hooks: { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo > /tmp/lingers; sleep 600"] }] },
};

const owner = { uid: 1000, gid: 1000 };
const unprivileged = exampleSpec(owner);
const ofUser = {
  ...unprivileged,
  process: { ...process, args: ["sleep", "600"] },
  linux: { ...unprivileged.linux, resources: { pids: { limit: 7 }, memory: { limit: 32 << 20 } } },
};

/** The kernel refuses a processor that the machine does not have. */
const impossible = {
  ...limited,
  linux: {
    ...limited.linux,
    cgroupsPath: "machine-boxes.slice:gantry:never",
    resources: { cpu: { cpus: "7" } },
  },
};

/** Each is the config.json of a bundle below /images/bundles. */
export const systemdBundles: Readonly<Record<string, object>> = {
  limited,
  plain,
  lingering,
  ofUser,
  impossible,
};

export const systemdFunctions = `
sd() { runtime --systemd-cgroup "$@"; }
shown() { unit=$1; shift; for name in "$@"; do systemctl show --property "$name" "$unit"; done; }
until_works() { for i in $(seq 50); do "$@" > /tmp/tried 2>&1 && return; sleep 0.2; done; cat /tmp/tried; return 1; }
as_user() { XDG_RUNTIME_DIR=/run/user/1000 /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
status() { runtime state "$1" | sed -n 's/.*"status": "\\(.*\\)",/\\1/p'; }
# What a unit has, by whichever runtime: the limits and the files, but weights, for which runc 1.1 has another curve.
unit_of() {
  shown "$1" Slice Delegate DefaultDependencies MemoryMax MemoryHigh MemoryLow MemorySwapMax \\
    CPUQuotaPerSecUSec CPUQuotaPeriodUSec TasksMax AllowedCPUs AllowedMemoryNodes DevicePolicy \\
    CPUAccounting IOAccounting MemoryAccounting TasksAccounting TimeoutStopUSec Documentation
  cd "/sys/fs/cgroup$(systemctl show --value --property ControlGroup "$1")"
  for file in memory.max memory.high memory.low memory.swap.max cpu.max pids.max cpuset.cpus \\
    cpuset.mems hugetlb.2MB.max; do echo "$file $(cat $file)"; done
}
`;

const scope = "gantry-box.scope";
const directory = `/sys/fs/cgroup/machine.slice/machine-boxes.slice/${scope}`;

export const systemdChecks: GuestChecks = {
  "a scope of systemd has the limits, and its cgroup the exact ones": `
    [ "$(cat /proc/1/comm)" = systemd ]
    sd create --bundle /images/bundles/limited box
    shown ${scope} ActiveState Slice Delegate ControlGroup Description | tee /tmp/shown
    same "$(xargs < /tmp/shown)" "ActiveState=active Slice=machine-boxes.slice Delegate=yes \\
ControlGroup=/machine.slice/machine-boxes.slice/${scope} Description=gantry container box"
    same "$(shown ${scope} MemoryMax MemoryHigh MemoryLow MemorySwapMax TasksMax AllowedCPUs AllowedMemoryNodes | xargs)" \\
      'MemoryMax=67108864 MemoryHigh=50331648 MemoryLow=16777216 MemorySwapMax=33554432 TasksMax=20 AllowedCPUs=0 AllowedMemoryNodes=0'
    same "$(shown ${scope} CPUWeight CPUQuotaPerSecUSec CPUQuotaPeriodUSec TimeoutStopUSec Documentation | xargs)" \\
      'CPUWeight=59 CPUQuotaPerSecUSec=130ms CPUQuotaPeriodUSec=100ms TimeoutStopUSec=7s Documentation=man:gantry(1)'
    cd ${directory}
    same "$(cat memory.max memory.high memory.low memory.swap.max pids.max cpuset.cpus cpu.weight hugetlb.2MB.max | xargs)" \\
      '67108864 50331648 16777216 33554432 20 0 59 4194304'
    same "$(cat cpu.max)" '12345 100000'
    same "$(runtime state box | sed -n 's/.*"pid": \\(.*\\),/\\1/p')" "$(cat cgroup.procs)"
    same "$(status box)" created
    (unit_of ${scope}) > /tmp/gantry-unit`,
  "explain tells of the unit that systemd would make, and makes none": `
    gantry explain --systemd-cgroup --bundle /images/bundles/limited > /tmp/explained
    grep -q 'have systemd start unit ${scope} with .*MemoryMax' /tmp/explained
    grep -q '${directory}' /tmp/explained
    refused gantry explain --bundle /images/bundles/limited 2> /tmp/refused
    grep -q 'give --systemd-cgroup' /tmp/refused`,
  "its processes run in it, with the devices of the list, also when systemd has read its configuration again": `
    mknod /images/bundles/limited/rootfs/kmsg c 1 11
    sd start box
    same "$(status box)" running
    systemctl daemon-reload
    same "$(shown ${scope} DevicePolicy)" DevicePolicy=strict
    shown ${scope} DeviceAllow | tee /tmp/allowed
    grep -q '/dev/char/1:3 rwm' /tmp/allowed; grep -q 'char-pts rwm' /tmp/allowed
    sd exec box sh -c 'cat /proc/self/cgroup; head -c 4 /dev/urandom | wc -c; echo x > /dev/null; cat < /kmsg' > /tmp/said 2>&1 || :
    cat /tmp/said
    same "$(head -n 2 /tmp/said | xargs)" '0::/ 4'
    grep -q 'kmsg: Operation not permitted' /tmp/said`,
  "update changes the unit, and the exact values behind it": `
    sd update --memory 50331648 --memory-swap 60817408 --pids-limit 9 --cpu-share 1024 --cpu-quota 23456 --cpu-period 50000 box
    same "$(shown ${scope} MemoryMax MemorySwapMax TasksMax CPUWeight CPUQuotaPerSecUSec | xargs)" \\
      'MemoryMax=50331648 MemorySwapMax=10485760 TasksMax=9 CPUWeight=100 CPUQuotaPerSecUSec=470ms'
    cd ${directory}
    same "$(cat memory.max memory.swap.max pids.max cpu.weight cpu.max | xargs)" '50331648 10485760 9 100 23456 50000'
    refused sd update --memory 41943040 --cpuset-cpus 7 box 2> /tmp/refused
    cat /tmp/refused
    same "$(cat memory.max)" 50331648
    same "$(shown ${scope} MemoryMax)" MemoryMax=50331648`,
  "a unit that is there is not taken": `
    refused sd create --bundle /images/bundles/limited other 2> /tmp/refused
    grep -q 'unit ${scope} exists already' /tmp/refused
    same "$(status box)" running
    refused runtime state other 2> /dev/null`,
  "delete leaves no unit": `
    sd delete --force box
    same "$(systemctl show --value --property LoadState ${scope})" not-found
    [ ! -e ${directory} ]
    same "$(systemctl list-units --all --no-legend 'gantry-*')" ''`,
  "run without a cgroupsPath is runc-ID.scope of system.slice, and leaves nothing": `
    status=0
    sd run --bundle /images/bundles/plain plain > /tmp/said || status=$?
    same "$(cat /tmp/said) $status" '0::/system.slice/runc-plain.scope 7'
    same "$(systemctl list-units --all --no-legend 'runc-*')" ''
    [ ! -e /sys/fs/cgroup/system.slice/runc-plain.scope ]`,
  "what fails leaves no unit either": `
    refused sd create --bundle /images/bundles/impossible never 2> /tmp/refused
    cat /tmp/refused
    grep -q 'linux.resources.cpu.cpus' /tmp/refused
    same "$(systemctl list-units --all --no-legend 'gantry-*')" ''
    refused runtime state never 2> /dev/null
    same "$(ps | grep '[g]antry-helper')" ''`,
  "delete removes the unit of a create that was killed": `
    gantry runtime --root /run/runtime --systemd-cgroup create --bundle /images/bundles/lingering killed &
    for i in $(seq 200); do [ -e /tmp/lingers ] && break; sleep 0.1; done
    kill -9 $!
    same "$(shown runc-killed.scope ActiveState)" ActiveState=active
    same "$(status killed)" stopped
    sd delete killed
    same "$(systemctl list-units --all --no-legend 'runc-*')" ''
    same "$(ps | grep '[g]antry-helper')" ''`,
  "runc makes the same unit": `
    runc --systemd-cgroup --root /run/runc run --detach --bundle /images/bundles/limited box < /dev/null > /dev/null
    (unit_of ${scope}) > /tmp/runc-unit
    runc --systemd-cgroup --root /run/runc delete --force box
    diff /tmp/runc-unit /tmp/gantry-unit`,
  "an unprivileged user gets a scope of their own systemd": `
    chown -R 1000:1000 /images/bundles/ofUser
    mkdir -p /run/user/1000 && chown 1000:1000 /run/user/1000
    systemctl start user-systemd
    until_works as_user systemctl --user show --property Version
    refused as_user gantry runtime --systemd-cgroup create --bundle /images/bundles/ofUser mine 2> /tmp/refused
    cat /tmp/refused
    grep -q 'systemd-run --user --scope' /tmp/refused
    user=/sys/fs/cgroup$(systemctl show --value --property ControlGroup user-systemd)
    mkdir $user/shell; chown -R 1000:1000 $user/shell
    (echo 0 > $user/shell/cgroup.procs; as_user gantry runtime --systemd-cgroup run --detach --bundle /images/bundles/ofUser mine < /dev/null > /dev/null)
    cd $user/user.slice/runc-mine.scope
    same "$(cat pids.max memory.max | xargs)" '7 33554432'
    same "$(as_user systemctl --user show --value --property TasksMax runc-mine.scope)" 7
    as_user gantry runtime --systemd-cgroup delete --force mine
    cd /
    same "$(as_user systemctl --user show --value --property LoadState runc-mine.scope)" not-found`,
  "over the system bus, too": `
    systemctl start dbus.service
    until_works as_user systemctl show --property Version
    mv /run/systemd/private /run/systemd/private.away
    status=0
    sd run --bundle /images/bundles/plain plain > /tmp/said || status=$?
    mv /run/systemd/private.away /run/systemd/private
    same "$(cat /tmp/said) $status" '0::/system.slice/runc-plain.scope 7'
    same "$(systemctl list-units --all --no-legend 'runc-*')" ''`,
};
