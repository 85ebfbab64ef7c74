import type { EventBus } from "../events/event-bus.ts";
import type { Container } from "./container.ts";

/** Publishes an event of a container: `image`, `name` and all labels are always among its attributes. */
export class ContainerEvents {
  constructor(private readonly bus: EventBus) {}

  publish(container: Container, action: string, attributes: Record<string, string> = {}): void {
    const { id, name, config, imageConfig } = container.record;
    this.bus.publish("container", action, id, {
      ...imageConfig.Labels,
      ...config.Labels,
      ...attributes,
      image: config.Image ?? "",
      name,
    });
  }

  publishNetwork(container: Container, action: "connect" | "disconnect"): void {
    const { endpoint } = container.record;
    if (!endpoint) return;
    const type = endpoint.networkName === "none" ? "null" : endpoint.networkName;
    this.bus.publish("network", action, endpoint.networkId, {
      container: container.id,
      name: endpoint.networkName,
      type,
    });
  }
}
