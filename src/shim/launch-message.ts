import { ByteWriter } from "../kernel/byte-writer.ts";
import { encodePlan } from "../kernel/encode-plan.ts";
import type { Plan } from "../kernel/steps.ts";
import type { LaunchRequest } from "./contract.ts";
import { stdioFlags } from "./messages.ts";
import { launchFlag } from "./protocol.ts";

const VERSION = 1;

/** What a launch message says of a helper that is no shim. */
export interface ProcessLaunchMessage {
  readonly containerId: string;
  readonly directory: string;
  readonly plan: Plan;
  readonly foreground: boolean;
}

/** Encodes what a shim is launched with (docs/helper-protocol.md, "Launch message"). */
export function encodeLaunchMessage(request: LaunchRequest): Uint8Array {
  return encode(stdioFlags(request.stdio) | launchFlag.daemon, request, request.log);
}

/** The same for the modes `create` and `exec`. */
export function encodeProcessLaunch(request: ProcessLaunchMessage): Uint8Array {
  return encode(request.foreground ? launchFlag.foreground : 0, request, undefined);
}

function encode(
  flags: number,
  { containerId, directory, plan }: Pick<LaunchRequest, "containerId" | "directory" | "plan">,
  log: LaunchRequest["log"],
): Uint8Array {
  const encodedPlan = encodePlan(plan);
  return new ByteWriter(encodedPlan.length + 1024)
    .raw(Buffer.from("GLCH"))
    .u16(VERSION)
    .u16(flags)
    .string(directory)
    .string(log?.path ?? "")
    .u64(BigInt(log?.maxBytes ?? 0))
    .u32(log?.maxFiles ?? 0)
    .string(containerId)
    .bytes(encodedPlan)
    .finish();
}
