import type { SocketAddress } from "../wire/stream-socket.ts";
import { CommandError } from "./command-error.ts";

/** sun_path without its NUL (unix(7)). */
const longestSocketPath = 107;

export const defaultSocketPath = "/run/gantry/gantry.sock";

export interface EngineAddress {
  readonly address: SocketAddress;
  /** Nobody named it: an engine may be started there on demand. */
  readonly isDefault: boolean;
}

/**
 * `-H`, then `GANTRY_HOST`, then the default socket. `DOCKER_HOST` names another engine and is left alone.
 * Errors: CommandError for anything but a unix socket: plain TCP would hand root to the network.
 */
export function engineAddress(flag: string | undefined, env: string | undefined): EngineAddress {
  const host = flag ?? (env || undefined);
  if (host === undefined) return { address: { unix: defaultSocketPath }, isDefault: true };
  const path = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (path !== undefined && Buffer.byteLength(path) > longestSocketPath)
    throw new CommandError(
      `${host}: longer than the ${longestSocketPath} bytes that a socket's path may have`,
    );
  if (path !== undefined) return { address: { unix: path }, isDefault: false };
  if (host.startsWith("tcp://")) {
    throw new CommandError(`${host}: TCP needs TLS client certificates, which this version does not have`, {
      hint: "use unix:///path/to/gantry.sock, over ssh with a forwarded socket if the engine is elsewhere",
    });
  }
  throw new CommandError(`unable to parse host ${JSON.stringify(host)}: want unix:///path/to/gantry.sock`);
}
