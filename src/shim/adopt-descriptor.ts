import { connect, type NetConnectOpts, type Socket } from "node:net";

/**
 * Hands a connected, non-blocking socket descriptor over to the event loop, which owns it from then on.
 * Bun takes `fd` in both calls, but its declarations do not have it (@types/bun 1.4).
 */
export function adoptAsBunSocket(
  fd: number,
  socket: Bun.SocketHandler<undefined>,
): Promise<Bun.Socket<undefined>> {
  const options = { fd, socket, data: undefined };
  return Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>);
}

/** Both directions end separately. */
export function adoptAsNodeSocket(fd: number): Socket {
  return connect({ fd, allowHalfOpen: true } as unknown as NetConnectOpts);
}
