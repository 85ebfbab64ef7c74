import { zoneOffset } from "./human.ts";

/** An object of `GET /events`. */
export interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly time: number;
  /** As parseEvent leaves it: decimal digits, since a double does not hold today's nanoseconds. */
  readonly timeNano: string;
}

/** An event with its time in full precision. Errors: SyntaxError. */
export function parseEvent(text: string): unknown {
  return JSON.parse(text, exactTime);
}

/** JSON.parse gives the source text of a number as a third argument. */
function exactTime(name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return name === "timeNano" && context?.source ? context.source : value;
}

/** `2006-01-02T15:04:05.000000000+02:00 container start 4386fb97867d (image=busybox, name=x)` */
export function eventLine({ Type, Action, Actor, time, timeNano }: EngineEvent): string {
  const attributes = Object.entries(Actor.Attributes ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const shown = attributes.length === 0 ? "" : ` (${attributes.join(", ")})`;
  return `${nanoTimestamp(time, timeNano)} ${Type} ${Action} ${Actor.ID}${shown}`;
}

/** RFC 3339 in local time with nine decimals. */
function nanoTimestamp(seconds: number, nanoseconds: string): string {
  const at = new Date(seconds * 1000);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  const zone = at.getTimezoneOffset() === 0 ? "Z" : zoneOffset(at, ":");
  return `${local}.${nanoseconds.slice(-9).padStart(9, "0")}${zone}`;
}
