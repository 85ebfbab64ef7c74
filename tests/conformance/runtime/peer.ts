import { chmodSync, copyFileSync, existsSync, linkSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runtimeMissing } from "../../fixtures/bundle.ts";
import { type CommandResult, command } from "../../fixtures/command.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** Why a program of others cannot be tested with; undefined when it can. */
export function peerMissing(...programs: string[]): string | undefined {
  const absent = programs.find((program) => Bun.which(program) === null);
  return runtimeMissing() ?? (absent === undefined ? undefined : `${absent} is not installed`);
}

/**
 * The attack of CVE-2019-5736 for a container of a caller: `evil` is a script that has the runtime's own program executed, which then
 * waits for its input; `attack` finds it, and tries to change its file. It prints nothing but the file's digest, before and after.
 */
export const overwriteRuntime = {
  evil: "#!/proc/self/exe dump-plan\n",
  attack: `
    for i in $(seq 200); do
      p=$(grep -l 'dump-pla[n]' /proc/[0-9]*/cmdline 2> /dev/null | grep -v self | cut -d/ -f3 | head -n 1)
      [ -n "$p" ] && break
      sleep 0.05
    done
    exec 5< /proc/$p/exe
    sha256sum < /proc/$p/exe
    echo x > /proc/$p/exe && echo WRITTEN
    chmod 0 /proc/$p/exe && echo CHMODDED
    kill -9 $p
    while [ -r /proc/$p/status ] && ! grep -q '^State:.Z' /proc/$p/status; do :; done
    echo x >> /proc/self/fd/5 && echo APPENDED LATER
    sha256sum < /proc/self/fd/5
    exit 0
  `,
  /** What the attack prints when it failed. */
  inVain: /^([0-9a-f]{64}) {2}-\n\1 {2}-\n$/,
} as const;

/** Limits that this host may not raise are asked for as they are: podman's and buildah's own defaults are higher. */
export const smallLimits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];

/** A directory with the runtime under its own name, and a daemon if `start` was called; both are gone at the end. */
export class Peer implements AsyncDisposable {
  readonly directory: string;
  /** `gantry-runtime`: the executable under the name that makes it the OCI runtime. */
  readonly runtime: string;
  private daemon: ReturnType<typeof Bun.spawn> | undefined;

  constructor(name: string) {
    this.directory = scratchDirectory(name);
    this.runtime = join(this.directory, "gantry-runtime");
    try {
      linkSync(gantryPath, this.runtime);
    } catch {
      copyFileSync(gantryPath, this.runtime); // another file system
      chmodSync(this.runtime, 0o755);
    }
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Starts a daemon, and waits for its socket. */
  async start(argv: readonly string[], socket: string): Promise<void> {
    const log = Bun.file(this.path("daemon.log"));
    const daemon = Bun.spawn([...argv], { stdout: log, stderr: log, stdin: "ignore" });
    this.daemon = daemon;
    await waitFor(`the socket of ${argv[0]}`, () => {
      if (daemon.exitCode !== null)
        throw new Error(`${argv[0]} ended: ${readFileSync(this.path("daemon.log"), "utf8").slice(-2000)}`);
      return existsSync(socket);
    });
  }

  run(argv: readonly string[], input?: string): Promise<CommandResult> {
    return command(argv, { timeoutMs: 40_000, ...(input !== undefined && { input }) });
  }

  /** The same with a standard input that stays open. */
  hold(argv: readonly string[]): Bun.Subprocess<"pipe", "ignore", "ignore"> {
    return Bun.spawn([...argv], { stdin: "pipe", stdout: "ignore", stderr: "ignore" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.daemon?.kill("SIGTERM");
    await this.daemon?.exited;
    for (const mount of this.mounts()) await command(["umount", "-l", mount]);
    rmSync(this.runtime, { force: true });
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The deepest first. */
  private mounts(): string[] {
    return readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(this.directory))
      .reverse();
  }
}
