import { ByteWriter } from "../kernel/byte-writer.ts";
import { encodePlan } from "../kernel/encode-plan.ts";
import type { LaunchRequest } from "./contract.ts";
import { stdioFlags } from "./messages.ts";
import { launchFlag } from "./protocol.ts";

const VERSION = 1;

/** Encodes what a shim is launched with (docs/helper-protocol.md, "Launch message"). */
export function encodeLaunchMessage(request: LaunchRequest): Uint8Array {
  const plan = encodePlan(request.plan);
  return new ByteWriter(plan.length + 1024)
    .raw(Buffer.from("GLCH"))
    .u16(VERSION)
    .u16(stdioFlags(request.stdio) | launchFlag.daemon)
    .string(request.directory)
    .string(request.log?.path ?? "")
    .u64(BigInt(request.log?.maxBytes ?? 0))
    .u32(request.log?.maxFiles ?? 0)
    .string(request.containerId)
    .bytes(plan)
    .finish();
}
