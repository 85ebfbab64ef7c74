import { deleteFlows, listUdpFlows, type UdpFlow } from "../netlink/conntrack.ts";
import { NETLINK_NETFILTER, NetlinkSocket } from "../netlink/netlink-socket.ts";
import { isErrno } from "../syscall.ts";
import { batch, encodeElements, encodeTable, encodeTableRemoval } from "./encode-table.ts";
import { type ForeignChain, insertRules, listDroppingForwardChains, removeRules } from "./foreign-chains.ts";
import type { NftElement, NftMap, NftRule, NftTable } from "./ruleset.ts";

type MapShape = Pick<NftMap, "name" | "key" | "value">;

export interface ElementChange {
  readonly map: MapShape;
  readonly elements: readonly NftElement[];
}

/** The kernel's packet filter, by its own protocol; no program is started. */
export class Nftables implements Disposable {
  private readonly socket = NetlinkSocket.open(NETLINK_NETFILTER);

  /** Replaces a whole table in one step: no packet sees half of it. */
  async applyTable(table: NftTable): Promise<void> {
    await this.socket.request(`apply firewall table ${table.name}`, batch(encodeTable(table)));
  }

  /** A missing table is fine. */
  async removeTable(name: string): Promise<void> {
    try {
      await this.socket.request(`remove firewall table ${name}`, batch(encodeTableRemoval(name)));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }

  /** All of them or none. Errors: errno.ENOENT when somebody removed the table. */
  async addElements(table: string, changes: readonly ElementChange[]): Promise<void> {
    const messages = changes.flatMap(({ map, elements }) => encodeElements("add", table, map, elements));
    if (messages.length > 0) await this.socket.request(`publish ports in table ${table}`, batch(messages));
  }

  /** Elements which somebody removed already are fine. */
  async removeElements(table: string, changes: readonly ElementChange[]): Promise<void> {
    const messages = changes.flatMap(({ map, elements }) => encodeElements("remove", table, map, elements));
    if (messages.length === 0) return;
    try {
      await this.socket.request(`withdraw ports from table ${table}`, batch(messages));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      await this.removeOneByOne(table, changes);
    }
  }

  private async removeOneByOne(table: string, changes: readonly ElementChange[]): Promise<void> {
    for (const { map, elements } of changes) {
      for (const element of elements) {
        try {
          const messages = batch(encodeElements("remove", table, map, [element]));
          await this.socket.request(`withdraw a port from table ${table}`, messages);
        } catch (error) {
          if (!isErrno(error, "ENOENT")) throw error;
        }
      }
    }
  }

  /** Chains of other programs that drop forwarded packets unless a rule of theirs accepts them. */
  droppingForwardChains(): Promise<ForeignChain[]> {
    return listDroppingForwardChains(this.socket);
  }

  /** Puts rules before all others of another program's chain. */
  insertRules(chain: ForeignChain, rules: readonly NftRule[]): Promise<void> {
    return insertRules(this.socket, chain, rules);
  }

  /** Removes the rules which have this reason as their comment; returns how many there were. */
  removeRules(chain: ForeignChain, reason: string): Promise<number> {
    return removeRules(this.socket, chain, reason);
  }

  /** Forgets tracked UDP flows, so that the rules decide about their next packet. */
  async forgetUdpFlows(which: (flow: UdpFlow) => boolean): Promise<void> {
    const flows = await listUdpFlows(this.socket);
    await deleteFlows(this.socket, flows.filter(which));
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}
