import { closeSync, readSync } from "node:fs";
import { invalidParameter, PlatformError, systemError } from "../errors/platform-error.ts";
import { type FdMapping, makePipe, reapNow, spawnProcess } from "../kernel/child-processes.ts";
import { isInherited } from "../kernel/inherited-descriptors.ts";
import { sealedMemfd } from "../kernel/memfd.ts";
import { openPidfd } from "../kernel/processes.ts";
import type { Plan } from "../kernel/steps.ts";
import type {
  HeldProcess,
  LaunchedProcess,
  ProcessLaunch,
  ProcessLauncher,
} from "../runtime/lifecycle/launcher.ts";
import { helperArguments } from "../runtime/lifecycle/leftover-processes.ts";
import { diagnoseStart } from "./diagnose-start.ts";
import { failureError } from "./failure.ts";
import { encodeProcessLaunch } from "./launch-message.ts";
import { MessageReader, type ShimMessage } from "./messages.ts";

/** Descriptors of the helper (helper/protocol.h). */
const FD_LAUNCH = 3;
const FD_REPORT = 4;
const FD_CONSOLE = 5;
const FD_PRESERVED = 6;
/** Of this process: what a caller passes on starts here. */
const FIRST_PRESERVED = 3;

/**
 * Runs `gantry-helper create` and `gantry-helper exec`, and follows their reports. Synchronous, as a command has nothing to do
 * meanwhile.
 */
export class HelperLauncher implements ProcessLauncher {
  /** `readHelper`: the static helper's bytes. */
  constructor(private readonly readHelper: () => Uint8Array) {}

  launch(request: ProcessLaunch): LaunchedProcess {
    const { readEnd, writeEnd } = makePipe();
    try {
      const helper = this.spawn(request, writeEnd);
      closeSync(writeEnd);
      return new HelperReport(request.plan, helper, readEnd).created();
    } catch (error) {
      closeSync(readEnd);
      throw error;
    }
  }

  hold(): HeldProcess {
    const { readEnd, writeEnd } = makePipe();
    try {
      const pid = this.run(["gantry-helper", "hold"], [[readEnd, FD_LAUNCH]]);
      return {
        pid,
        end: () => {
          closeSync(writeEnd);
          reapNow(pid);
        },
      };
    } catch (error) {
      closeSync(writeEnd);
      throw error;
    } finally {
      closeSync(readEnd);
    }
  }

  failureOf(report: Uint8Array, plan: Plan): PlatformError {
    const [message] = new MessageReader().push(report);
    if (message?.type === "failed")
      return startError(diagnoseStart(failureError(plan, message.failure), plan));
    return systemError("unable to start container process: its report is malformed");
  }

  private spawn(request: ProcessLaunch, report: number): number {
    const { mode, directory, consoleSocket, preserveFds } = request;
    const preserved = Array.from({ length: preserveFds }, (_, index) => FIRST_PRESERVED + index);
    preserved.forEach(requireInherited);
    const launch = sealedMemfd("launch", encodeProcessLaunch(request));
    try {
      return this.run(helperArguments(mode, directory), [
        ...([0, 1, 2] as const).map((fd) => [fd, fd] as const),
        [launch, FD_LAUNCH],
        [report, FD_REPORT],
        ...(consoleSocket === undefined ? [] : [[consoleSocket, FD_CONSOLE] as const]),
        ...preserved.map((fd, index) => [fd, FD_PRESERVED + index] as const),
      ]);
    } finally {
      closeSync(launch);
    }
  }

  /** From a sealed copy in memory, which no container can overwrite (CVE-2019-5736). */
  private run(argv: readonly string[], fds: readonly FdMapping[]): number {
    const helper = sealedMemfd("gantry-helper", this.readHelper());
    try {
      return spawnProcess(`/proc/self/fd/${helper}`, argv, [], fds);
    } finally {
      closeSync(helper);
    }
  }
}

/** Nothing of our own gets into a container under the number of a descriptor that the caller did not open (CVE-2024-21626). */
function requireInherited(fd: number): void {
  if (isInherited(fd)) return;
  throw invalidParameter(`--preserve-fds: descriptor ${fd} is not open`, {
    hint: "--preserve-fds and LISTEN_FDS count the descriptors from 3 on that the caller opened for the container",
  });
}

/** The helper's report, read as it comes. */
class HelperReport implements LaunchedProcess {
  pid = 0;
  helperPidfd = -1;
  private readonly reader = new MessageReader();
  private readonly messages: ShimMessage[] = [];
  private readonly chunk = Buffer.alloc(4096);

  constructor(
    private readonly plan: Plan,
    private readonly helper: number,
    private readonly report: number,
  ) {}

  created(): this {
    const message = this.next();
    if (message?.type !== "created") throw this.failure(message);
    this.pid = message.pid;
    this.helperPidfd = openPidfd(this.helper);
    return this;
  }

  confirmStarted(): void {
    const message = this.next();
    if (message?.type !== "started") throw this.failure(message);
    closeSync(this.report);
  }

  exitCode(): number {
    const status = reapNow(this.helper);
    closeSync(this.helperPidfd);
    return status.kind === "exited" ? status.exitCode : 128 + status.signal;
  }

  /** The next message; undefined at the end. */
  private next(): ShimMessage | undefined {
    while (this.messages.length === 0) {
      const length = readSync(this.report, this.chunk);
      if (length === 0) return undefined;
      this.messages.push(...this.reader.push(this.chunk.subarray(0, length)));
    }
    return this.messages.shift();
  }

  private failure(message: ShimMessage | undefined): PlatformError {
    const ended = reapNow(this.helper);
    if (message?.type === "failed")
      return startError(diagnoseStart(failureError(this.plan, message.failure), this.plan));
    const how = ended.kind === "exited" ? `exit status ${ended.exitCode}` : `signal ${ended.signal}`;
    return systemError(`unable to start container process: the helper ended without a report (${how})`);
  }
}

/** With the words in front that callers of runc look for. */
function startError({ kind, message, hint, code, cause }: PlatformError): PlatformError {
  return new PlatformError(kind, `unable to start container process: ${message}`, { hint, code, cause });
}
