import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf } from "../../errors/platform-error.ts";
import type { AddressPolicy, ConnectionTls, PlainGet } from "../../wire/body-receiver.ts";
import type { ConnectionSocket } from "../../wire/http1-connection.ts";
import type { SocketEvents } from "../../wire/stream-socket.ts";
import { hostName, portOf } from "../client/host-name.ts";
import { isSocks } from "../client/proxy-settings.ts";
import { isPermitted } from "../client/public-addresses.ts";
import { openTunnel } from "./open-tunnel.ts";
import { refusal } from "./socks-dialogue.ts";

/**
 * Connects to the server of a request: directly, or through its proxy, over TLS where its URL wants it.
 * Errors: those of node:net and node:tls; see `openTunnel`; `ERR_ADDRESS_REFUSED` where no address of the name is permitted.
 */
export async function connectFor(
  { url, tls, proxy: proxyUrl, proxyTls, addresses, connectTimeoutMs }: Omit<PlainGet, "headers">,
  events: SocketEvents,
  signal?: AbortSignal,
): Promise<ConnectionSocket> {
  const target = new URL(url);
  const proxy = proxyUrl === undefined ? undefined : new URL(proxyUrl);
  const isSecure = target.protocol === "https:";
  const address = addressOf(proxy ?? target);
  const only = proxy === undefined && addresses ? { lookup: await permitted(address.host, addresses) } : {};
  let socket = await connected(connectTcp({ ...address, ...only }), connectTimeoutMs, signal);
  try {
    if (proxy?.protocol === "https:") {
      socket = await securedProxy(socket, proxy, proxyTls ?? { rejectUnauthorized: true }, signal);
    }
    if (proxy && (isSecure || isSocks(proxy))) await openTunnel(socket, target, proxy, signal);
    if (isSecure) socket = await secured(socket, target, tls, signal);
    return netSocket(socket, events);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

const addressOf = (url: URL) => ({ host: hostName(url.host), port: portOf(url) });

/** Errors: as of a proxy that refuses, so that nobody looks for the fault at the server behind it. */
async function securedProxy(
  socket: Socket,
  proxy: URL,
  tls: ConnectionTls,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  return await secured(socket, proxy, tls, signal).catch((error) => {
    throw signal?.aborted ? signal.reason : refusal(`tls: ${messageOf(error)}`);
  });
}

/** Looks a name up once: what was checked is what is connected to. */
async function permitted(name: string, policy: AddressPolicy): Promise<LookupFunction> {
  const found = await lookup(name, { all: true });
  const [first, ...others] = found.filter(({ address }) => isPermitted(address, policy));
  if (first === undefined) {
    const shown = found.map(({ address }) => address).join(", ");
    throw Object.assign(new Error(`${name} is ${shown}, which is not on the public internet`), {
      code: "ERR_ADDRESS_REFUSED",
    });
  }
  return (_name, { all }, callback) =>
    all ? callback(null, [first, ...others]) : callback(null, first.address, first.family);
}

/** Errors: `ETIMEDOUT` after `timeoutMs`. */
async function connected(
  socket: Socket,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  if (timeoutMs === undefined) return await opened(socket, "connect", signal);
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" })),
    timeoutMs,
  );
  try {
    return await opened(socket, "connect", signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

function secured(
  socket: Socket,
  target: URL,
  { ca, ...tls }: ConnectionTls,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const { host } = addressOf(target);
  const trusted = ca === undefined ? {} : { ca: [...ca] };
  const named = isIP(host) ? {} : { servername: host };
  return opened(connectTls({ socket, host, ...named, ...tls, ...trusted }), "secureConnect", signal);
}

/** Settles with the event, or with what comes before it. */
async function opened(
  socket: Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = () => reject(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
  const onAbort = () => reject(signal?.reason);
  socket.once(event, resolve).once("error", reject).once("close", onClose);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.on("error", () => {}).destroy();
    throw error;
  } finally {
    socket.off(event, resolve).off("error", reject).off("close", onClose);
    signal?.removeEventListener("abort", onAbort);
  }
}

function netSocket(socket: Socket, events: SocketEvents): ConnectionSocket {
  let isOver = false;
  const end = (error?: Error) => {
    if (isOver) return;
    isOver = true;
    events.end(error);
  };
  socket
    .on("data", (bytes: Buffer) => events.data(bytes))
    .on("end", () => end())
    .on("error", end)
    .on("close", () => end());
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    closeWrite: () => socket.end(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    ref: () => socket.ref(),
    unref: () => socket.unref(),
    destroy: () => {
      isOver = true;
      socket.destroy();
    },
  };
}
