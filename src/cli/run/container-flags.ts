/** The flags that `run` and `create` share, in Docker's spelling. */
import {
  bool,
  bytes,
  integer,
  list,
  notBuilt,
  parsed,
  parsedList,
  text,
  textWithDefault,
} from "../flag-kinds.ts";
import type { FlagValues } from "../flags.ts";
import { parseByteRate, parseDeviceWeight, parseOperationRate } from "../values/block-io.ts";
import { parseCpus } from "../values/cpus.ts";
import { checkDeviceRule, parseDevice } from "../values/device.ts";
import { checkEnvironmentVariable } from "../values/environment.ts";
import { checkDnsServer, checkExtraHost } from "../values/host-entry.ts";
import { parseMount } from "../values/mount.ts";
import { parseSizeOrUnlimited } from "../values/size.ts";
import { parseUlimit } from "../values/ulimit.ts";

/** Built only for the commands that have them: start-up must not pay for sixty flags. */
export const containerFlags = () => ({
  "add-host": list("Add a line to the container's /etc/hosts (host:ip)", { check: checkExtraHost }),
  annotation: list("Add an annotation for the OCI runtime", { type: "map" }),
  attach: list("Attach to STDIN, STDOUT or STDERR", { short: "a", check: checkStream }),
  "blkio-weight": integer("Relative weight of disk access (10 to 1000)"),
  "blkio-weight-device": parsedList("Relative weight on one device (path:weight)", "list", parseDeviceWeight),
  "cap-add": list("Add Linux capabilities"),
  "cap-drop": list("Drop Linux capabilities"),
  "cgroup-parent": text("Cgroup below which the container gets its own"),
  cgroupns: text("Cgroup namespace to use (host|private)"),
  cidfile: text("Write the container's id to this file"),
  "cpu-period": integer("Length of a CPU accounting period in microseconds"),
  "cpu-quota": integer("CPU time per period in microseconds"),
  "cpu-shares": integer("Relative weight when CPUs are short", { short: "c" }),
  cpus: parsed("Number of CPUs, may be fractional", "decimal", parseCpus),
  "cpuset-cpus": text("CPUs the container may run on (0-3, 0,1)"),
  "cpuset-mems": text("Memory nodes the container may use (0-3, 0,1)"),
  device: parsedList("Give the container a device of the host", "list", parseDevice),
  "device-cgroup-rule": list("Allow kinds of devices ('c 13:* rwm')", { check: checkDeviceRule }),
  "device-read-bps": parsedList(
    "Limit of bytes read from a device in a second (path:rate)",
    "list",
    parseByteRate,
  ),
  "device-read-iops": parsedList(
    "Limit of reads from a device in a second (path:rate)",
    "list",
    parseOperationRate,
  ),
  "device-write-bps": parsedList(
    "Limit of bytes written to a device in a second (path:rate)",
    "list",
    parseByteRate,
  ),
  "device-write-iops": parsedList(
    "Limit of writes to a device in a second (path:rate)",
    "list",
    parseOperationRate,
  ),
  dns: list("DNS server to use", { check: checkDnsServer }),
  "dns-option": list("Resolver option"),
  "dns-opt": list("Resolver option", { hidden: true }),
  "dns-search": list("Search domain of the resolver"),
  domainname: text("NIS domain name of the container"),
  entrypoint: text("Program to run instead of the image's entry point"),
  env: list("Set an environment variable", { short: "e", check: checkEnvironmentVariable }),
  "env-file": list("Read environment variables from a file"),
  expose: list("Declare a port or range of ports as listened on"),
  "group-add": list("Further groups of the process"),
  hostname: text("Host name of the container", { short: "h" }),
  init: bool("Put a small init in front that passes signals on and reaps processes"),
  interactive: bool("Keep standard input open even if not attached", { short: "i" }),
  ipc: text("IPC namespace to use"),
  label: list("Set a label on the container", { short: "l", check: checkLabel }),
  "label-file": list("Read labels from a file"),
  "log-driver": text("Where the container's output is logged"),
  "log-opt": list("Option of the log driver"),
  memory: bytes("Memory limit", { short: "m" }),
  "memory-reservation": bytes("Memory that is protected when memory is short"),
  "memory-swap": parsed("Limit of memory plus swap, -1 for unlimited swap", "bytes", parseSizeOrUnlimited),
  "memory-swappiness": integer("How readily the container's memory is swapped (0 to 100)"),
  mount: parsedList("Attach a file system to the container", "mount", parseMount),
  name: text("Name of the container"),
  network: text("Network to connect to (bridge|none|host|container:NAME)", { type: "network" }),
  net: text("Network to connect to", { hidden: true }),
  "no-healthcheck": bool("Run no health check, also where the image has one"),
  "oom-kill-disable": bool("Let processes wait instead of ending them when memory is short"),
  "oom-score-adj": integer("How readily the kernel kills the container when memory is short (-1000 to 1000)"),
  pid: text("PID namespace to use"),
  "pids-limit": integer("Limit of processes and threads, -1 for none"),
  platform: text("Platform to choose from a multi-platform image"),
  privileged: bool("Give the container all capabilities and devices"),
  publish: list("Publish a port of the container on the host ([ip:]host:container[/proto])", { short: "p" }),
  "publish-all": bool("Publish all exposed ports on free ports of the host", { short: "P" }),
  pull: textWithDefault('When to pull the image ("always", "missing", "never")', "missing"),
  quiet: bool("Print no progress while pulling", { short: "q" }),
  "read-only": bool("Mount the container's root file system read-only"),
  rm: bool("Remove the container when it has ended"),
  "security-opt": list("Security option (seccomp=FILE, no-new-privileges, ...)"),
  "shm-size": bytes("Size of /dev/shm"),
  "stop-signal": text("Signal that stops the container"),
  "stop-timeout": integer("Seconds between the stop signal and SIGKILL"),
  sysctl: list("Set a kernel parameter of the container's namespaces", { type: "map", check: checkSysctl }),
  tmpfs: list("Mount a tmpfs (/path[:options])"),
  tty: bool("Give the process a terminal", { short: "t" }),
  ulimit: parsedList("Resource limit (name=soft[:hard])", "ulimit", parseUlimit),
  user: text("User and group of the process (name|uid[:group|gid])", { short: "u" }),
  userns: text("User namespace to use (host)"),
  uts: text("UTS namespace to use"),
  volume: list("Bind a directory or file of the host into the container", { short: "v" }),
  workdir: text("Working directory inside the container", { short: "w" }),

  "cpu-count": notBuilt("int"),
  "cpu-percent": notBuilt("int"),
  "cpu-rt-period": notBuilt("int"),
  "cpu-rt-runtime": notBuilt("int"),
  "disable-content-trust": notBuilt(),
  gpus: notBuilt("gpu-request"),
  "health-cmd": notBuilt("string"),
  "health-interval": notBuilt("duration"),
  "health-retries": notBuilt("int"),
  "health-start-interval": notBuilt("duration"),
  "health-start-period": notBuilt("duration"),
  "health-timeout": notBuilt("duration"),
  "io-maxbandwidth": notBuilt("bytes"),
  "io-maxiops": notBuilt("uint"),
  ip: notBuilt("string"),
  ip6: notBuilt("string"),
  isolation: notBuilt("string"),
  "kernel-memory": notBuilt("bytes"),
  link: notBuilt("list"),
  "link-local-ip": notBuilt("list"),
  "mac-address": notBuilt("string"),
  "net-alias": notBuilt("list"),
  "network-alias": notBuilt("list"),
  restart: notBuilt("string"),
  runtime: notBuilt("string"),
  "storage-opt": notBuilt("list"),
  "use-api-socket": notBuilt(),
  "volume-driver": notBuilt("string"),
  "volumes-from": notBuilt("list"),
});

export type ContainerFlags = FlagValues<ReturnType<typeof containerFlags>>;

function checkStream(raw: string): string {
  const stream = raw.toLowerCase();
  if (!["stdin", "stdout", "stderr"].includes(stream)) {
    throw new Error("valid streams are STDIN, STDOUT and STDERR");
  }
  return stream;
}

function checkLabel(raw: string): string {
  if (raw.startsWith("=") || raw === "") throw new Error(`invalid label '${raw}': empty name`);
  return raw;
}

/** The kernel parameters that belong to a namespace of the container. */
const namespacedSysctls = [
  "kernel.domainname",
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
];

function checkSysctl(raw: string): string {
  const [name = "", value] = raw.split("=", 2);
  const allowed =
    namespacedSysctls.includes(name) || name.startsWith("net.") || name.startsWith("fs.mqueue.");
  if (value === undefined || !allowed) throw new Error(`sysctl '${raw}' is not allowed`);
  return raw;
}
