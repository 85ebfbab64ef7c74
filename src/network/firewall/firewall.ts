import { type ElementChange, Nftables } from "../../kernel/nftables/nftables.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { type FirewallNetwork, type PublishedEndpoint, planElements, planFirewall } from "./plan-firewall.ts";

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
  }

  /** An unknown container is fine. */
  async withdraw(containerId: string): Promise<void> {
    const endpoint = this.published.get(containerId);
    if (!endpoint) return;
    this.published.delete(containerId);
    await this.nftables.removeElements(this.network.bridgeName, planElements([endpoint]));
  }

  /** Removes the table. */
  async remove(): Promise<void> {
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
