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
