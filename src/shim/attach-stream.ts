import type { Socket } from "node:net";
import { notFound, unavailable } from "../errors/platform-error.ts";
import { adoptAsNodeSocket } from "./adopt-descriptor.ts";
import { connectShim } from "./connect-shim.ts";
import type { AttachOptions, AttachStream } from "./contract.ts";
import { attachMessage } from "./messages.ts";
import { messageType } from "./protocol.ts";

const HEADER_BYTES = 8;
const TAG = 1;

/**
 * Opens a raw connection to a process's stdio. Resolves once the shim has attached it: all output from then on comes.
 * Errors: NotFound when the process is gone, Unavailable when the shim is.
 */
export async function openAttachStream(
  socketPath: string,
  process: number,
  options: AttachOptions,
): Promise<AttachStream> {
  const socket = adoptAsNodeSocket(connectShim(socketPath, () => attachMessage(TAG, process, options)));
  try {
    if ((await readAnswer(socket)) !== messageType.ok) throw notFound("no such process");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

/** Reads the type of the answer; what comes behind it stays in the socket. */
function readAnswer(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      socket.off("readable", onReadable).off("error", onEnd).off("end", onEnd).off("close", onEnd);
      action();
    };
    const onReadable = () => {
      const header: Buffer | null = socket.read(HEADER_BYTES);
      if (header) settle(() => resolve(header.readUInt16LE(4)));
    };
    const onEnd = () =>
      settle(() => reject(unavailable("the container's shim is gone", { code: "shim.gone" })));
    socket.on("readable", onReadable).on("error", onEnd).on("end", onEnd).on("close", onEnd);
  });
}
