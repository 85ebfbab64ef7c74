import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { detectHost } from "../src/kernel/host-facts.ts";
import { defaultSeccompProfile } from "../src/runtime/seccomp/default-profile.ts";
import { resolveProfile } from "../src/runtime/seccomp/resolve-profile.ts";
import { command, mustRun } from "../tests/fixtures/command.ts";
import { busyboxArchiveFile } from "../tests/fixtures/images.ts";
import { startImageRegistry } from "../tests/fixtures/machine.ts";
import { gantryPath, scratchDirectory } from "../tests/fixtures/places.ts";
import type { TestRegistry } from "../tests/fixtures/registry.ts";
import { waitFor } from "../tests/fixtures/wait-for.ts";
import type { Env } from "./measure.ts";
import { memoryOf } from "./process-memory.ts";

/**
 * gantry and its peers, each started by hand with directories of its own, all with the same busybox image.
 * Everything happens in a network and a mount namespace that end with the run (see run.ts), so bridges, rules
 * and mounts need no clean-up. All roots are on one tmpfs.
 */
export class World implements AsyncDisposable {
  readonly directory = scratchDirectory("bench");
  private readonly running: Bun.Subprocess[] = [];

  private constructor(readonly registry: TestRegistry) {}

  static async start(): Promise<World> {
    const world = new World(await startImageRegistry());
    try {
      // ext4 passes over inodes that were deleted in the last minutes, one by one: a pull there takes the longer the
      // more files the pulls before it have left and somebody has deleted, half of its time in the end.
      await mustRun(["mount", "-t", "tmpfs", "gantry-bench", world.directory]);
      await world.startGantry();
      await world.startDocker();
      world.weighIdle();
      await world.loadImages();
      await world.makeBundle();
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  /** `gantry ARGS` */
  readonly gantry = (...args: string[]): string[] => [gantryPath, ...args];
  readonly gantrySocket = join(this.directory, "gantry.sock");
  readonly gantryEnv: Env = {
    GANTRY_HOST: `unix://${this.gantrySocket}`,
    DOCKER_CONFIG: "/nonexistent",
  };
  /** What the engine has logged so far. */
  async gantryLog(): Promise<{ readonly event: string; readonly totalMs?: number }[]> {
    const lines = (await Bun.file(join(this.directory, "gantry.log")).text()).split("\n");
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  }
  readonly docker = (...args: string[]): string[] => [Bun.which("docker") ?? "docker", ...args];
  readonly dockerEnv: Env = {
    DOCKER_HOST: `unix://${join(this.directory, "docker.sock")}`,
    DOCKER_CONFIG: "/nonexistent",
  };
  /** The same client against gantry's socket. */
  readonly dockerOnGantryEnv: Env = { ...this.dockerEnv, DOCKER_HOST: this.gantryEnv.GANTRY_HOST ?? "" };
  readonly podman = (...args: string[]): string[] => [
    ...[
      "podman",
      "--root",
      join(this.directory, "podman/root"),
      "--runroot",
      join(this.directory, "podman/run"),
    ],
    ...[
      "--tmpdir",
      join(this.directory, "podman/tmp"),
      "--cgroup-manager",
      "cgroupfs",
      "--runtime",
      "crun",
      ...args,
    ],
  ];
  /** podman raises limits that a machine without CAP_SYS_RESOURCE refuses. */
  readonly podmanLimits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];
  readonly ctr = (...args: string[]): string[] => [
    ...["ctr", "-a", join(this.directory, "docker/exec/containerd/containerd.sock"), "-n", "bench", ...args],
  ];
  readonly ctrImage = "docker.io/library/busybox:latest";
  /** An OCI bundle whose process is `true`. */
  readonly bundle = join(this.directory, "bundle");
  /** The same with the system calls of Docker's default profile: what engines ask runtimes for. */
  readonly filteredBundle = join(this.directory, "filtered-bundle");
  /** The same root with a process that stays. */
  readonly sleepingBundle = join(this.directory, "sleeping-bundle");

  /** As it was after the start, before the first image and the first container. */
  idleRssKiB(name: "gantry" | "docker"): number {
    return this.idle.get(name) ?? Number.NaN;
  }
  private readonly idle = new Map<"gantry" | "docker", number>();
  private weighIdle(): void {
    for (const name of ["gantry", "docker"] as const)
      this.idle.set(name, memoryOf(this.enginePids(name), "Rss"));
  }

  enginePids(name: "gantry" | "docker"): number[] {
    const mine = name === "gantry" ? this.running.slice(0, 1) : this.running.slice(1);
    return mine.flatMap(({ pid }) => [pid, ...childrenOf(pid)]);
  }

  private async startGantry(): Promise<void> {
    const at = (name: string) => join(this.directory, "gantry", name);
    const host = this.gantryEnv.GANTRY_HOST ?? "";
    const argv = this.gantry("engine", "--root", at("root"), "--state", at("state"), "--host", host);
    await this.spawn(
      [...argv, "--bridge", "gtbench0", "--bip", "10.251.0.1/24"],
      "gantry",
      this.gantrySocket,
    );
  }

  private async startDocker(): Promise<void> {
    const argv = [
      "dockerd",
      "--data-root",
      join(this.directory, "docker/data"),
      "--exec-root",
      join(this.directory, "docker/exec"),
    ];
    const socket = join(this.directory, "docker.sock");
    const more = [
      "--pidfile",
      join(this.directory, "docker.pid"),
      "--bip",
      "10.252.0.1/24",
      "-H",
      `unix://${socket}`,
    ];
    await this.spawn([...argv, ...more], "docker", socket);
  }

  private async spawn(argv: readonly string[], name: string, socket: string): Promise<void> {
    const log = Bun.file(join(this.directory, `${name}.log`));
    const child = Bun.spawn([...argv], { stdio: ["ignore", log, log] });
    this.running.push(child);
    await waitFor(`${name} to answer`, async () => {
      if (child.exitCode !== null)
        throw new Error(`${name} ended with ${child.exitCode}\n${await log.text()}`);
      return answersPing(socket);
    });
  }

  private async loadImages(): Promise<void> {
    const archive = await busyboxArchiveFile();
    await mustRun(this.gantry("load", "-i", archive), { env: this.gantryEnv });
    await mustRun(this.docker("load", "-i", archive), { env: this.dockerEnv });
    await mustRun(this.podman("load", "-i", archive));
    await mustRun(this.ctr("images", "import", archive));
  }

  private async makeBundle(): Promise<void> {
    const rootfs = join(this.bundle, "rootfs");
    mkdirSync(rootfs, { recursive: true });
    const id = (await mustRun(this.docker("create", "busybox"), { env: this.dockerEnv })).trim();
    const tar = join(this.bundle, "rootfs.tar");
    await mustRun(this.docker("export", "-o", tar, id), { env: this.dockerEnv });
    await mustRun(["tar", "-xf", tar, "-C", rootfs]);
    await mustRun(this.docker("rm", id), { env: this.dockerEnv });
    await mustRun(["runc", "spec"], { cwd: this.bundle });
    const path = join(this.bundle, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    config.process.args = ["true"];
    config.process.terminal = false;
    config.process.rlimits = [];
    writeFileSync(path, JSON.stringify(config));
    config.root.path = rootfs;
    const seccomp = resolveProfile(defaultSeccompProfile, config.process.capabilities.bounding, detectHost());
    mkdirSync(this.filteredBundle);
    const filtered = { ...config, linux: { ...config.linux, seccomp } };
    writeFileSync(join(this.filteredBundle, "config.json"), JSON.stringify(filtered));
    mkdirSync(this.sleepingBundle);
    config.process.args = ["sleep", "3600"];
    writeFileSync(join(this.sleepingBundle, "config.json"), JSON.stringify(config));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.running.toReversed()) {
      child.kill("SIGTERM");
      await child.exited;
    }
    await this.registry[Symbol.asyncDispose]();
    await command(["umount", "--lazy", "--recursive", this.directory]); // its tmpfs, and what is mounted on that
    await mustRun(["rm", "-rf", "--one-file-system", this.directory]).catch(() => undefined);
    await removeEmptyCgroups();
  }
}

/** True once an HTTP server on the socket answers `GET /_ping`. */
export async function answersPing(socket: string): Promise<boolean> {
  return fetch("http://localhost/_ping", { unix: socket }).then(
    (response) => response.ok,
    () => false,
  );
}

/** All descendants. Each thread has a list of its own, of the children that it made. */
export function childrenOf(pid: number): number[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const direct = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return direct.flatMap((child) => [child, ...childrenOf(child)]);
}

/** What the peers leave of their own parents; cgroups in use stay. */
async function removeEmptyCgroups(): Promise<void> {
  const names = ["docker", "libpod_parent", "bench"].flatMap((name) => ["-o", "-name", name]).slice(1);
  const parents = (await command(["find", "/sys/fs/cgroup", "-maxdepth", "2", "(", ...names, ")"])).stdout;
  const paths = parents.split("\n").filter(Boolean);
  if (paths.length > 0)
    await command(["find", ...paths, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
}
