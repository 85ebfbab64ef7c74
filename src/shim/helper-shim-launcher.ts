import { closeSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { unavailable } from "../errors/platform-error.ts";
import { spawnProcess } from "../kernel/child-processes.ts";
import { hasSealedMode, sealedMemfd } from "../kernel/memfd.ts";
import { listenUnix } from "../kernel/unix-sockets.ts";
import type { Log } from "../log/log.ts";
import { openAttachStream } from "./attach-stream.ts";
import type { Adoption, LaunchRequest, Shim, ShimLauncher } from "./contract.ts";
import { readExitFile } from "./exit-file.ts";
import { HelperShim } from "./helper-shim.ts";
import { encodeLaunchMessage } from "./launch-message.ts";
import { isNobodyThere, makeShimDirectory, socketPath } from "./shim-directory.ts";
import { reap, type SpawnHelper, WaitingShims } from "./waiting-shims.ts";

const FD_LAUNCH = 3;
const FD_LISTENER = 4;
/** Its number in the shim's messages. */
const containerProcess = 0;

export interface LauncherOptions {
  /** How many shims are made ahead of the containers that will need them. */
  readonly waitingShims: number;
  readonly log: Log;
}

/** Launches `gantry-helper shim`, and finds the ones that run. */
export class HelperShimLauncher implements ShimLauncher {
  #helperFd = -1;
  readonly #waiting: WaitingShims | undefined;

  /** `helperPath`: the static helper; a file embedded in the executable will do. */
  constructor(
    private readonly helperPath: string,
    options?: LauncherOptions,
  ) {
    if (options) this.#waiting = new WaitingShims(options.waitingShims, this.#runHelper, options.log);
  }

  prepare(): void {
    this.#waiting?.prepare();
  }

  async close(): Promise<void> {
    await this.#waiting?.close();
  }

  async launch(request: LaunchRequest): Promise<Shim> {
    const message = encodeLaunchMessage(request);
    await makeShimDirectory(request.directory);
    try {
      this.#spawn(request, message);
      const shim = new HelperShim(request.containerId, request.directory, request.plan);
      await connectOrBelieve(shim);
      const attached = request.whilePreparing?.((options) =>
        openAttachStream(socketPath(request.directory), containerProcess, options),
      );
      attached?.catch(() => undefined); // a process that could not be made is the better reason
      await requireCreated(shim);
      await attached;
      return shim;
    } catch (error) {
      await this.forget(request.directory);
      throw error;
    }
  }

  async adopt(containerId: string, directory: string): Promise<Adoption> {
    const shim = new HelperShim(containerId, directory, undefined);
    try {
      await shim.connect();
    } catch (error) {
      if (!isNobodyThere(error)) throw error;
      return fromExitFile(directory);
    }
    const preparation = await shim.prepared;
    await shim.settleReplay();
    if (preparation.state === "created") return { state: "live", shim, started: shim.started };
    shim.disconnect();
    return preparation.state === "exited"
      ? { state: "exited", status: preparation.status }
      : fromExitFile(directory);
  }

  async forget(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
  }

  #spawn(request: LaunchRequest, message: Uint8Array): void {
    const listener = listenUnix(socketPath(request.directory), { mode: 0o600, backlog: 64 });
    try {
      const launch = sealedMemfd("launch", message);
      try {
        if (this.#waiting?.launch(launch, listener)) return;
        const argv = [`gantry-shim: ${request.containerId}`, "shim"];
        const fds = [
          [launch, FD_LAUNCH],
          [listener, FD_LISTENER],
        ] as const;
        void reap(this.#runHelper(argv, fds));
      } finally {
        closeSync(launch);
      }
    } finally {
      closeSync(listener);
    }
  }

  readonly #runHelper: SpawnHelper = (argv, fds) => {
    const helper = this.#helper();
    try {
      return spawnProcess(`/proc/self/fd/${helper}`, argv, [], fds);
    } finally {
      if (helper !== this.#helperFd) closeSync(helper);
    }
  };

  /**
   * No container can write to it (CVE-2019-5736). One copy in memory for all shims, which share its pages; where a container
   * that runs it through /proc/self/exe could change its mode, and no other container would start, each gets its own.
   */
  #helper(): number {
    if (this.#helperFd >= 0) return this.#helperFd;
    const helper = sealedMemfd("gantry-helper", readFileSync(this.helperPath));
    if (hasSealedMode(helper)) this.#helperFd = helper;
    return helper;
  }
}

/** A shim that could not even make its process may have ended before the connection: its exit file tells why. */
async function connectOrBelieve(shim: HelperShim): Promise<void> {
  try {
    await shim.connect();
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
    shim.believeExitFile();
  }
}

async function requireCreated(shim: HelperShim): Promise<void> {
  const preparation = await shim.prepared;
  if (preparation.state === "created") return;
  await shim.closed; // it writes its exit file before, into the directory that is removed now
  if (preparation.state === "failed") throw preparation.error;
  throw unavailable(`shim of container ${shim.containerId} ended before its process was made`, {
    code: "shim.gone",
  });
}

function fromExitFile(directory: string): Adoption {
  const record = readExitFile(directory);
  return record ? { state: "exited", status: record.status } : { state: "lost" };
}
