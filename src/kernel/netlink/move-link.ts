import { conflict } from "../../errors/platform-error.ts";
import { addKeptAddressMessage, type KeptAddress, listKeptAddresses } from "./kept-addresses.ts";
import { getLink, listLinks, moveLinkMessage, setLinkUpMessage } from "./links.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

/** A network namespace: a socket in it, and a descriptor that means it. */
export interface NetworkPlace {
  readonly socket: NetlinkSocket;
  readonly netnsFd: number;
}

/**
 * Moves the link `name` to another namespace as `newName`, with its permanent addresses of global scope, and brings it up there.
 *
 * Errors: errno.ENODEV without the link; Conflict for a name that is taken there; errno.EINVAL for links that cannot move (lo).
 *         After an error it is where it was, with its addresses.
 */
export async function moveLink(
  name: string,
  newName: string,
  from: NetworkPlace,
  to: NetworkPlace,
): Promise<void> {
  const link = await getLink(from.socket, name);
  const addresses = await listKeptAddresses(from.socket, link.index);
  // The kernel moves it before it looks at the name.
  if ((await namesOf(to)).includes(newName))
    throw conflict(`move network device ${name}: ${newName} is the name of another one there`);
  try {
    await send(name, newName, from, to);
    await settle(newName, addresses, true, to);
  } catch (error) {
    const there = await namesOf(to);
    const moved = [newName, name].find((candidate) => there.includes(candidate));
    if (moved === undefined) throw error;
    await send(moved, name, to, from);
    await settle(name, addresses, link.up, from);
    throw error;
  }
}

const namesOf = async ({ socket }: NetworkPlace): Promise<string[]> =>
  (await listLinks(socket)).map((link) => link.name);

async function send(name: string, newName: string, from: NetworkPlace, to: NetworkPlace): Promise<void> {
  const { index } = await getLink(from.socket, name);
  await from.socket.request(`move network device ${name} as ${newName}`, [
    moveLinkMessage(index, newName, to.netnsFd),
  ]);
}

/** The kernel takes a link down, and its addresses away, when it moves. */
async function settle(
  name: string,
  addresses: readonly KeptAddress[],
  up: boolean,
  { socket }: NetworkPlace,
): Promise<void> {
  const { index } = await getLink(socket, name);
  const messages = addresses.map((address) => addKeptAddressMessage(index, address));
  if (messages.length > 0) await socket.request(`give network device ${name} its addresses`, messages);
  if (up) await socket.request(`bring network device ${name} up`, [setLinkUpMessage(index)]);
}
