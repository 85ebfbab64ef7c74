import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { capabilityNames } from "../../../src/runtime/capabilities.ts";
import { type Client, clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";

/** What Docker documents of a container without flags. Ours has to be equal or stricter. */
interface Defaults {
  /** Of the bounding, permitted and effective set; the inheritable and the ambient one are empty. */
  readonly capabilities: readonly string[];
  /** A field of /proc/PID/status: 2 is a filter. */
  readonly seccompMode: number;
  /** Empty or the null device, where the kernel has them. */
  readonly maskedPaths: readonly string[];
  /** Where nothing can be written, though Docker shows it. /sys is so as a whole. */
  readonly readOnlyPaths: readonly string[];
  /** Name below /dev, and its number. There are no block devices. */
  readonly devices: Readonly<Record<string, string>>;
  readonly mounts: Readonly<Record<string, { readonly type: string; readonly options: readonly string[] }>>;
}

const docker: Defaults = {
  capabilities: ["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID"].concat([
    ...["SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"],
  ]),
  seccompMode: 2,
  maskedPaths: ["acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi"]
    .concat(["timer_list", "timer_stats"])
    .map((name) => `/proc/${name}`)
    .concat(["/sys/devices/virtual/powercap", "/sys/firmware"]),
  readOnlyPaths: ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`).concat(["/sys"]),
  devices: { null: "1:3", zero: "1:5", full: "1:7", random: "1:8", urandom: "1:9", tty: "5:0" },
  mounts: {
    "/proc": { type: "proc", options: ["nosuid", "nodev", "noexec"] },
    "/dev": { type: "tmpfs", options: ["nosuid"] },
    "/dev/pts": { type: "devpts", options: ["nosuid", "noexec"] },
    "/sys": { type: "sysfs", options: ["ro", "nosuid", "nodev", "noexec"] },
    "/dev/mqueue": { type: "mqueue", options: ["nosuid", "nodev", "noexec"] },
    "/dev/shm": { type: "tmpfs", options: ["nosuid", "nodev", "noexec"] },
  },
};

/** Looks around inside: lines `KIND VALUE…`. A file is writable when it can be opened so; nothing is written. */
const script = `
  sed -n 's/^\\(Cap[A-Za-z]*\\|NoNewPrivs\\|Seccomp\\):\\s*/status \\1 /p' /proc/self/status
  find /dev -type c -o -type b | grep -v ^/dev/pts/ | while read f; do stat -c 'device %n %F %t:%T' $f; done
  awk '{ t = $0; sub(/.* - /, "", t); split(t, s, " "); print "mount", $5, $6, s[1] }' /proc/self/mountinfo
  find /proc /sys -type f 2> /dev/null | grep -v '^/proc/[0-9]' | while read f; do { true >> "$f"; } 2> /dev/null && echo "writable $f"; done
  for p in ${docker.maskedPaths.join(" ")}; do
    if [ -d $p ]; then for f in $p/*; do [ -e $f ] && echo "visible $f"; done
    elif [ -e $p ]; then [ "$(stat -c %t:%T $p)" = 1:3 ] || echo "visible $p"
    fi
  done
  echo end
`;

const machine = useMachine("inspection", ["busybox"]);

class Inspection {
  private constructor(private readonly lines: readonly string[][]) {}

  static async of(client: Client): Promise<Inspection> {
    const { stdout, stderr } = await machine.engine[client](["run", "--rm", "busybox", "sh", "-c", script]);
    if (!stdout.endsWith("end\n")) throw new Error(`the inspection broke off: ${stdout}${stderr}`);
    return new Inspection(stdout.split("\n").map((line) => line.split(" ")));
  }

  of(kind: string): string[][] {
    return this.lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  }
  status(field: string): string {
    return this.of("status").find(([name]) => name === field)?.[1] ?? "";
  }
}

const capabilitiesIn = (mask: string): string[] =>
  capabilityNames
    .filter((_name, bit) => (BigInt(`0x${mask}`) >> BigInt(bit)) & 1n)
    .map((name) => name.replace(/^CAP_/, ""));

describe.each(clients)("a default container, run with %s, as it sees itself", (client) => {
  let seen: Inspection;
  beforeAll(async () => {
    seen = await Inspection.of(client);
  });

  test.each(["CapBnd", "CapPrm", "CapEff"])("%s is Docker's set", (field) => {
    expect(capabilitiesIn(seen.status(field)).sort()).toEqual([...docker.capabilities].sort());
  });

  test.each(["CapInh", "CapAmb"])("%s is empty", (field) => {
    expect(capabilitiesIn(seen.status(field))).toEqual([]);
  });

  test("a seccomp filter is loaded; no_new_privs is off, as in Docker", () => {
    expect(seen.status("Seccomp")).toBe(`${docker.seccompMode}`);
    expect(seen.status("NoNewPrivs")).toBe("0");
  });

  test("masked paths show nothing", () => {
    expect(seen.of("visible")).toEqual([]);
    expect(docker.maskedPaths.some(existsSync)).toBe(true); // or the test would have looked at nothing
  });

  test("nothing is writable in the kernel's files that Docker protects", () => {
    const writable = seen.of("writable").map(([path = ""]) => path);
    const protectedPaths = writable.filter((path) =>
      docker.readOnlyPaths.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
    );
    expect(protectedPaths).toEqual([]);
    expect(writable).not.toEqual([]); // single files of /proc are, to a root with DAC_OVERRIDE, as in Docker
  });

  test("the devices are Docker's", () => {
    const devices = seen.of("device").map((words) => [words[0]?.replace("/dev/", ""), words.at(-1)]);
    expect(Object.fromEntries(devices)).toEqual(docker.devices);
    expect(seen.of("device").filter((words) => words.includes("block"))).toEqual([]);
  });

  test("the mounts of kernel file systems are Docker's, with at least its restrictions", () => {
    const mounts = new Map(
      seen.of("mount").map(([target = "", options = "", type = ""]) => [target, { options, type }]),
    );
    for (const [target, wanted] of Object.entries(docker.mounts)) {
      const mount = mounts.get(target);
      expect(mount?.type).toBe(wanted.type);
      expect(mount?.options.split(",")).toEqual(expect.arrayContaining([...wanted.options]));
    }
  });

  test("every other mount is read-only, a masked file, the root, or one of the container's three files in /etc", () => {
    const known = [
      ...Object.keys(docker.mounts),
      ...docker.maskedPaths,
      "/",
      "/etc/hosts",
      "/etc/hostname",
      "/etc/resolv.conf",
    ];
    const others = seen
      .of("mount")
      .filter(([target = "", options = ""]) => !known.includes(target) && !/^ro\b/.test(options));
    expect(others).toEqual([]);
  });

  test("a disk of the host can be made, and not be opened", async () => {
    const attack = "mknod /disk b 254 0 && mknod /memory c 1 1 && head -c 1 /disk; head -c 1 /memory";
    const run = await machine.engine[client](["run", "--rm", "busybox", "sh", "-c", attack]);
    expect(run.stdout).toBe("");
    expect(run.stderr).toMatch(/disk: Operation not permitted\n.*memory: Operation not permitted/);
  });
});
