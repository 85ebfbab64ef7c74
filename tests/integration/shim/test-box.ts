import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelOperation, KernelStep, NamespaceType, Phase, Plan } from "../../../src/kernel/steps.ts";
import { createLog } from "../../../src/log/log.ts";
import type { LaunchRequest, Shim, ShimLauncher, StdioOptions } from "../../../src/shim/contract.ts";
import { HelperShimLauncher } from "../../../src/shim/helper-shim-launcher.ts";

const repository = join(import.meta.dirname, "../../..");
export const helperPath = process.env.GANTRY_TEST_HELPER ?? join(repository, "build/helper/gantry-helper");
const busybox = "/bin/busybox";

/** Why these tests cannot run here; undefined when they can. */
export function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync(helperPath)) return "build/helper/gantry-helper is not built (make -C helper)";
  if (!existsSync(busybox)) return "needs /bin/busybox (busybox-static)";
  return undefined;
}

const applets =
  "sh cat echo ls sleep true false ps id tty stty head yes dd readlink grep pwd env hostname touch mount kill wc seq trap test mkdir".split(
    " ",
  );

const MS_REC = 0x4000;
const MS_SLAVE = 1 << 19;
const NOSUID = 2;
const NODEV = 4;
const NOEXEC = 8;

const step = (phase: Phase, operation: KernelOperation): KernelStep => ({
  phase,
  reason: "test",
  ...operation,
});
export const setup = (operation: KernelOperation): KernelStep => step("setup", operation);
export const start = (operation: KernelOperation): KernelStep => step("start", operation);

export interface PlanOptions {
  readonly args: readonly string[];
  readonly tty?: boolean;
  readonly env?: readonly string[];
  readonly namespaces?: readonly NamespaceType[];
  /** Before pivot-root, after the standard mounts. */
  readonly setup?: readonly KernelStep[];
  /** Before exec. */
  readonly start?: readonly KernelStep[];
  readonly clone?: readonly KernelStep[];
  readonly preserveFds?: number;
}

const device = (path: string, minor: number) =>
  setup({ op: "make-device", path, kind: "c", major: 1, minor, mode: 0o666, uid: 0, gid: 0 });

/** A root file system with busybox, directories for shims and logs, and everything that was launched. */
export class TestBox implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "gantry-shim-test-"));
  readonly root = join(this.directory, "root");
  readonly launcher: ShimLauncher;
  readonly #shims: Shim[] = [];
  #count = 0;

  /** `waitingShims`: how many are made ahead, once `launcher.prepare` was called. */
  constructor(waitingShims = 0) {
    this.launcher = new HelperShimLauncher(helperPath, { waitingShims, log: createLog("error", () => {}) });
    for (const name of ["bin", "proc", "dev", "sys", "tmp", "etc"])
      mkdirSync(join(this.root, name), { recursive: true });
    chmodSync(this.directory, 0o755);
    copyFileSync(busybox, join(this.root, "bin/busybox"));
    for (const applet of applets) symlinkSync("busybox", join(this.root, "bin", applet));
  }

  plan(options: PlanOptions): Plan {
    return {
      steps: [
        step("clone", {
          op: "clone",
          namespaces: options.namespaces ?? ["mount", "pid", "network", "ipc", "uts"],
        }),
        ...(options.clone ?? []),
        setup({ op: "set-propagation", target: "/", flags: MS_SLAVE | MS_REC }),
        setup({ op: "open-root", source: this.root }),
        setup({
          op: "mount",
          fstype: "proc",
          source: "proc",
          target: "/proc",
          attributes: NOSUID | NODEV | NOEXEC,
          data: [],
        }),
        setup({
          op: "mount",
          fstype: "tmpfs",
          source: "tmpfs",
          target: "/dev",
          attributes: NOSUID,
          data: ["mode=755"],
        }),
        setup({
          op: "mount",
          fstype: "devpts",
          source: "devpts",
          target: "/dev/pts",
          attributes: NOSUID | NOEXEC,
          data: ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        }),
        device("/dev/null", 3),
        device("/dev/zero", 5),
        setup({ op: "symlink", path: "/dev/ptmx", to: "pts/ptmx" }),
        setup({ op: "symlink", path: "/dev/stdout", to: "/proc/self/fd/1" }),
        ...(options.tty ? [setup({ op: "console", rows: 24, columns: 80 })] : []),
        ...(options.setup ?? []),
        setup({ op: "pivot-root", method: "pivot" }),
        start({ op: "new-session" }),
        start({ op: "change-directory", path: "/" }),
        start({ op: "set-user", uid: 0, gid: 0, additionalGids: [] }),
        ...(options.start ?? []),
        start({
          op: "exec",
          args: options.args,
          env: options.env ?? ["PATH=/bin"],
          preserveFds: options.preserveFds ?? 0,
        }),
      ],
    };
  }

  /** A further process in the container whose first process is `pid`. */
  execPlan(
    pid: number,
    options: { args: readonly string[]; tty?: boolean; start?: readonly KernelStep[] },
  ): Plan {
    const kinds = { ipc: "ipc", uts: "uts", network: "net", pid: "pid", mount: "mnt" } as const;
    const joins = (Object.keys(kinds) as (keyof typeof kinds)[]).map((namespace) =>
      step("clone", { op: "join-namespace", namespace, path: `/proc/${pid}/ns/${kinds[namespace]}` }),
    );
    return {
      steps: [
        ...joins,
        step("clone", { op: "clone", namespaces: [] }),
        ...(options.tty ? [setup({ op: "console", rows: 30, columns: 100 })] : []),
        start({ op: "new-session" }),
        start({ op: "change-directory", path: "/" }),
        start({ op: "set-user", uid: 0, gid: 0, additionalGids: [] }),
        ...(options.start ?? []),
        start({ op: "exec", args: options.args, env: ["PATH=/bin"], preserveFds: 0 }),
      ],
    };
  }

  request(plan: Plan, stdio: Partial<StdioOptions> = {}): LaunchRequest {
    const id = `box${++this.#count}`;
    return {
      containerId: id,
      directory: join(this.directory, `shim-${id}`),
      plan,
      stdio: { tty: false, openStdin: false, stdinOnce: false, ...stdio },
      log: { path: join(this.directory, `${id}.log`), maxBytes: 0, maxFiles: 0 },
    };
  }

  async launch(request: LaunchRequest): Promise<Shim> {
    const shim = await this.launcher.launch(request);
    this.#shims.push(shim);
    return shim;
  }

  /** Runs a program to its end; returns its exit code and what the log has. */
  async run(
    options: PlanOptions,
  ): Promise<{ exitCode: number; signal: number; stdout: string; stderr: string }> {
    const request = this.request(this.plan(options), { tty: options.tty ?? false });
    const shim = await this.launch(request);
    await shim.init.start();
    const { exitCode, signal } = await shim.init.exited;
    return {
      exitCode,
      signal,
      stdout: readLog(request, "stdout").join(""),
      stderr: readLog(request, "stderr").join(""),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shim of this.#shims) {
      await shim.init.signal(9).catch(() => undefined);
      shim.disconnect();
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

export interface LogEntry {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

export function readEntries(request: LaunchRequest): LogEntry[] {
  const text = readFileSync(request.log?.path ?? "", "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

export function readLog(request: LaunchRequest, stream: string): string[] {
  return readEntries(request).flatMap((entry) => (entry.stream === stream ? [entry.log] : []));
}

/** Collects a stream up to its end. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
