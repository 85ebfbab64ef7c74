import { describe, expect, test } from "bun:test";
import type { EngineEvent } from "./event.ts";
import { EventBus } from "./event-bus.ts";
import { eventMatcher } from "./event-filters.ts";

describe("the event bus", () => {
  test("tells listeners in order until they leave", () => {
    const bus = new EventBus(() => 1n);
    const seen: string[] = [];
    const leave = bus.subscribe((event) => seen.push(event.action));
    bus.publish("container", "create", "a");
    bus.publish("container", "start", "a");
    leave();
    bus.publish("container", "die", "a");
    expect(seen).toEqual(["create", "start"]);
    expect(bus.listenerCount).toBe(0);
  });

  test("keeps the last 256", () => {
    let time = 0n;
    const bus = new EventBus(() => ++time);
    for (let n = 1; n <= 300; n++) bus.publish("container", "start", String(n));
    const kept = bus.history(0n);
    expect(kept).toHaveLength(256);
    expect(kept[0]?.actorId).toBe("45");
    expect(bus.history(299n).map((event) => event.actorId)).toEqual(["299", "300"]);
  });
});

const event: EngineEvent = {
  type: "container",
  action: "exec_create: sh -c ls",
  actorId: "abcdef",
  attributes: { name: "web", image: "busybox:1.36", tier: "front" },
  timeNs: 0n,
};

describe("event filters", () => {
  test.each([
    ["type", "container", true],
    ["type", "image", false],
    ["event", "exec_create", true],
    ["event", "exec", false],
    ["container", "web", true],
    ["container", "abc", true],
    ["container", "db", false],
    ["image", "busybox:1.36", true],
    ["image", "busybox", true],
    ["image", "debian", false],
    ["label", "tier=front", true],
    ["label", "tier=back", false],
    ["scope", "swarm", false],
    ["network", "bridge", false],
    ["plugin", "x", false],
  ])("%p=%p gives %p", (key, value, wanted) => {
    expect(eventMatcher(new Map([[key, [value]]]))(event)).toBe(wanted);
  });

  test("keys are joined by and", () => {
    const both = new Map([
      ["container", ["web"]],
      ["event", ["die"]],
    ]);
    expect(eventMatcher(both)(event)).toBe(false);
  });

  test("an unknown key is refused", () => {
    expect(() => eventMatcher(new Map([["colour", ["red"]]]))).toThrow("invalid filter 'colour'");
  });
});
