import { afterAll, beforeAll, describe } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxArchiveFile } from "../fixtures/images.ts";
import { gantryPath, scratchDirectory } from "../fixtures/places.ts";
import { checkpointChecks, checkpointModules, findCheckpointPrograms } from "./checkpoint-checks.ts";
import {
  bootGuest,
  commonFunctions,
  type GuestChecks,
  kernel,
  missing,
  runChecks,
  testChecks,
} from "./guest.ts";
import { packInitramfs } from "./initramfs.ts";
import { bundles, plainPrograms, runtimeChecks, runtimeModules } from "./runtime-checks.ts";

const checkpointPrograms = findCheckpointPrograms();

/**
 * The whole program on a machine with pure cgroup v2 and a second, older kernel. Each check is a shell script
 * that runs in the guest, with `set -eu`; what it prints is shown when it fails. `$G` is the engine's bridge gateway.
 */
const checks: GuestChecks = {
  "the engine answers, and says cgroup v2": `
    gantry info | tee /tmp/info
    grep -q 'Cgroup Version: 2' /tmp/info`,
  "a container runs": `
    [ "$(gantry run --rm --network none busybox echo hello)" = hello ]
    [ -z "$(gantry ps -aq)" ]`,
  "limits stand in cgroup v2 files": `
    gantry run -d --name limits --network none -m 64m --cpus 0.5 --pids-limit 33 busybox sleep 600
    cd "$(cgroup limits)"
    same "$(cat memory.max)" 67108864
    same "$(cat cpu.max)" '50000 100000'
    same "$(cat pids.max)" 33
    same "$(cat pids.current)" 1
    same "$(cat cgroup.procs)" "$(pid limits)"`,
  "inside, the container's own cgroup is the root": `
    same "$(gantry exec limits cat /proc/self/cgroup)" 0::/`,
  "half a CPU is half a CPU": `
    gantry run -d --name half --network none --cpus 0.5 busybox sh -c 'while :; do :; done'
    cd "$(cgroup half)"
    used() { sed -n 's/^usage_usec //p' cpu.stat; }
    now() { awk '{ printf "%d", $1 * 1000000 }' /proc/uptime; }
    u=$(used) t=$(now)
    until [ "$(sed -n 's/^nr_throttled //p' cpu.stat)" -ge 20 ]; do sleep 0.1; done
    share=$(( 100 * ($(used) - u) / ($(now) - t) ))
    echo "share: $share %"
    [ "$share" -le 60 ]`,
  "a container beyond its memory is killed, and says why": `
    gantry run -d --name neighbour --network none busybox sleep 600
    status=0
    gantry run --name greedy --network none -m 32m busybox tail /dev/zero || status=$?
    same "$status" 137
    same "$(gantry inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' greedy)" 'true 137'
    same "$(gantry inspect -f '{{.State.Running}}' neighbour)" true`,
  "a fork bomb stops at its limit": `
    refused gantry run --rm --network none --pids-limit 20 busybox sh -c 'for i in $(seq 60); do sleep 60 & done' 2> /tmp/refused
    cat /tmp/refused
    grep -q "can't fork" /tmp/refused`,
  "a device outside the list can be made, not opened": `
    gantry run -d --name devices --network none busybox sleep 600
    gantry exec devices mknod /tmp/kmsg c 1 11
    refused gantry exec devices sh -c 'cat < /tmp/kmsg' 2> /tmp/refused
    cat /tmp/refused
    grep -q 'Operation not permitted' /tmp/refused`,
  "the devices of the list work": `
    gantry exec devices sh -c 'echo x > /dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom > /dev/null'`,
  "a privileged container opens any device": `
    gantry run --rm --network none --privileged busybox sh -c 'mknod /tmp/mem c 1 1 && : < /tmp/mem'`,
  "the default bridge works on this kernel, too": `
    gantry run -d --name web -p 8080:80 busybox sh -c 'mkdir /www; echo page > /www/index.html; exec httpd -f -p 80 -h /www'
    gantry exec web ping -c 1 "$(gantry inspect -f '{{.NetworkSettings.Networks.bridge.Gateway}}' web)"
    until wget -qO /tmp/page http://127.0.0.1:8080/; do sleep 0.1; done
    same "$(cat /tmp/page)" page`,
  "a container outlives its engine, and its exit code is found": `
    gantry run -d --name survivor --network none busybox sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
    p=$(pid survivor)
    until [ "$(gantry logs survivor)" = ready ]; do sleep 0.1; done
    kill -9 "$(cat /run/engine.pid)"
    [ -d /proc/$p ]
    start_engine
    same "$(pid survivor)" "$p"
    gantry kill -s TERM survivor
    same "$(gantry wait survivor)" 7`,
  "removing leaves no cgroup, no mount and no process behind": `
    gantry rm -f $(gantry ps -aq)
    left() {
      find /sys/fs/cgroup -mindepth 2 -type d -path '*gantry*' -name '????????????????*'
      grep overlay /proc/mounts || : # the namespaces that are mounted too are the pool's
      ps | grep '[g]antry-shim' | grep -v waiting || : # nor those that wait for a container
    }
    for i in $(seq 50); do [ -z "$(left)" ] && break; sleep 0.1; done
    left
    [ -z "$(left)" ]`,
  ...runtimeChecks,
  ...(checkpointPrograms === undefined ? {} : checkpointChecks),
};

const modules = [
  ...[
    "overlay",
    "veth",
    "bridge",
    "nf_tables",
    "nft_chain_nat",
    "nft_masq",
    "nft_redir",
    "nft_nat",
    "nft_ct",
  ],
  ...["nft_fib_ipv4", "nft_fib_inet", "nft_reject_inet", "nft_compat", "nf_conntrack_netlink", "nft_limit"],
  ...runtimeModules,
  ...(checkpointPrograms === undefined ? [] : checkpointModules),
];

/** What the checks call. */
const checkFunctions = `
${commonFunctions}
pid() { gantry inspect -f '{{.State.Pid}}' "$1"; }
cgroup() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid "$1")/cgroup")"; }
start_engine() {
  gantry engine --root /var/lib/gantry --state /run/gantry >> /tmp/engine.log 2>&1 &
  echo $! > /run/engine.pid
  for i in $(seq 200); do [ -S /run/gantry/gantry.sock ] && gantry version > /dev/null 2>&1 && return; sleep 0.1; done
  cat /tmp/engine.log
  return 1
}
`;

const guestInit = `#!/bin/sh
/bin/busybox mount -t proc proc /proc # --install asks it where busybox is
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
cat > /bin/check-functions << 'END'
${checkFunctions}
END
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup # as systemd does
ip link set lo up
for module in ${modules.join(" ")}; do modprobe "$module" || echo "# no module $module"; done

. /bin/check-functions
start_engine && gantry load -q -i /images/busybox.tar | sed 's/^/# /'
${runChecks(checks)}`;

describe.skipIf(missing !== "")(`on a booted machine with cgroup v2${missing && ` (${missing})`}`, () => {
  const directory = scratchDirectory("qemu");
  let console_ = "";

  beforeAll(async () => {
    if (kernel === undefined) return;
    const initrd = join(directory, "initramfs");
    const plain = plainPrograms.flatMap((name) => {
      const path = Bun.which(name);
      return path === null ? [] : [[`usr/bin/${name}`, path] as const];
    });
    const programs = { "bin/gantry": gantryPath, ...Object.fromEntries(plain), ...checkpointPrograms };
    // dist/gantry is a static program; what it becomes is of the same making as what runs this test.
    const librariesOf = [process.execPath];
    const configs = Object.entries(bundles).map(([name, config]) => {
      const path = join(directory, `${name}.json`);
      writeFileSync(path, JSON.stringify(config));
      return [`images/bundles/${name}/config.json`, path] as const;
    });
    const files = { "images/busybox.tar": await busyboxArchiveFile(), ...Object.fromEntries(configs) };
    await packInitramfs({ kernel, modules, programs, librariesOf, files, init: guestInit }, initrd);
    console_ = await bootGuest(kernel.image, initrd);
  }, 460_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  testChecks(checks, () => console_);
});
