import { nowNs } from "../../../engine/clock.ts";
import type { EngineEvent } from "../../../engine/events/event.ts";
import type { EventBus } from "../../../engine/events/event-bus.ts";
import { eventMatcher } from "../../../engine/events/event-filters.ts";
import { jsonInteger } from "../json-integer.ts";
import { filtersQuery, timestampQuery } from "../query.ts";
import { jsonContentType } from "../reply.ts";
import type { Route } from "../route.ts";

/** `GET /events`: what the ring still has since `since`, then live until `until` or until the client goes. */
export const eventsRoute = (bus: EventBus): Route => ({
  method: "GET",
  path: "/events",
  handle: async ({ query, signal }, reply) => {
    const matches = eventMatcher(filtersQuery(query));
    const sinceNs = timestampQuery(query, "since");
    const untilNs = timestampQuery(query, "until");
    const isWithin = (event: EngineEvent): boolean => untilNs === undefined || event.timeNs <= untilNs;
    const sink = reply.stream(jsonContentType);
    const send = (event: EngineEvent): void => {
      if (matches(event) && isWithin(event)) void sink.write(`${JSON.stringify(wireEvent(event))}\n`);
    };
    if (sinceNs !== undefined || untilNs !== undefined) bus.history(sinceNs ?? 0n).forEach(send);
    if (untilNs === undefined || untilNs > nowNs()) {
      const leave = bus.subscribe(send);
      await goneOrLater(signal, untilNs);
      leave();
    }
    sink.end();
  },
});

/** engine-api, section 4; `status`, `id` and `from` are for the clients of API versions below 1.52. */
function wireEvent(event: EngineEvent): object {
  const { type, action, actorId, attributes, timeNs } = event;
  const legacy =
    type === "container" || type === "image"
      ? { status: action, id: actorId, ...(type === "container" ? { from: attributes.image ?? "" } : {}) }
      : {};
  return {
    ...legacy,
    Type: type,
    Action: action,
    Actor: { ID: actorId, Attributes: attributes },
    scope: "local",
    time: Number(timeNs / 1_000_000_000n),
    timeNano: jsonInteger(timeNs),
  };
}

function goneOrLater(signal: AbortSignal, untilNs: bigint | undefined): Promise<void> {
  return new Promise((resolve) => {
    const ms = untilNs === undefined ? undefined : Number((untilNs - nowNs()) / 1_000_000n) + 1;
    const timer = ms === undefined ? undefined : setTimeout(done, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
