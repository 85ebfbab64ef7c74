import { networkInterfaces } from "node:os";
import { type ElementChange, Nftables } from "../../kernel/nftables/nftables.ts";
import { isErrno } from "../../kernel/syscall.ts";
import {
  type FirewallNetwork,
  type PublishedEndpoint,
  passReason,
  planElements,
  planFirewall,
  planPassage,
} from "./plan-firewall.ts";

/**
 * Keeps the kernel's table equal to the plan of what is published now. A change is a few map elements; when somebody
 * flushed the rules, or an element is not as expected, the whole table is made anew.
 */
export class Firewall implements Disposable {
  private readonly nftables = new Nftables();
  private readonly published = new Map<string, PublishedEndpoint>();

  constructor(private readonly network: FirewallNetwork) {}

  /** Makes the table for containers which run already, in one step for the packets. */
  async open(endpoints: ReadonlyMap<string, PublishedEndpoint>): Promise<void> {
    for (const [containerId, endpoint] of endpoints) this.published.set(containerId, endpoint);
    await this.applyAll();
    await this.openForeignChains();
  }

  /**
   * Another program's chain may drop everything that is forwarded (Docker and most firewalls set iptables' policy
   * so): one verdict "accept" of ours does not help against it, a rule at its head does.
   */
  private async openForeignChains(): Promise<void> {
    for (const chain of await this.nftables.droppingForwardChains()) {
      await this.nftables.removeRules(chain, passReason(this.network));
      await this.nftables.insertRules(chain, planPassage(this.network));
    }
  }

  async publish(containerId: string, endpoint: PublishedEndpoint): Promise<void> {
    const changes = planElements([endpoint]);
    if (changes.length === 0) return;
    this.published.set(containerId, endpoint);
    try {
      await this.addElements(changes);
    } catch (error) {
      this.published.delete(containerId); // the kernel took all elements or none
      throw error;
    }
    await this.forgetFlows(endpoint);
  }

  /** An unknown container is fine. */
  async withdraw(containerId: string): Promise<void> {
    const endpoint = this.published.get(containerId);
    if (!endpoint) return;
    this.published.delete(containerId);
    await this.nftables.removeElements(this.network.bridgeName, planElements([endpoint]));
    await this.forgetFlows(endpoint);
  }

  /**
   * A UDP client that goes on sending keeps its flow alive, and with it the old answer to where its packets go: to a
   * container that is gone, or to none.
   */
  private async forgetFlows({ ports }: PublishedEndpoint): Promise<void> {
    const udpPorts = new Set(ports.flatMap((port) => (port.protocol === "udp" ? [port.hostPort] : [])));
    if (udpPorts.size === 0) return;
    const own = ownAddresses();
    await this.nftables.forgetUdpFlows(
      ({ destination, destinationPort, responder }) =>
        udpPorts.has(destinationPort) && (responder !== destination || own.has(destination)),
    );
  }

  /** Removes the table, and our rules in others. */
  async remove(): Promise<void> {
    for (const chain of await this.nftables.droppingForwardChains())
      await this.nftables.removeRules(chain, passReason(this.network));
    await this.nftables.removeTable(this.network.bridgeName);
  }

  private async addElements(changes: readonly ElementChange[]): Promise<void> {
    try {
      await this.nftables.addElements(this.network.bridgeName, changes);
    } catch (error) {
      if (!isErrno(error, "ENOENT", "EEXIST")) throw error;
      await this.applyAll();
    }
  }

  private async applyAll(): Promise<void> {
    await this.nftables.applyTable(planFirewall(this.network, [...this.published.values()]));
  }

  [Symbol.dispose](): void {
    this.nftables[Symbol.dispose]();
  }
}

/** Of this host; flows to others which are not redirected are none of our business. */
const ownAddresses = (): Set<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
