import { allMatch, anyMatches, checkFilterKeys, type Filters, hasLabel } from "../filters.ts";
import type { EngineEvent } from "./event.ts";

const keys = [
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "service",
  "secret",
  "type",
  "volume",
  "builder",
];

/** The test that a subscriber's filters make. Errors: InvalidParameter for an unknown key. */
export function eventMatcher(filters: Filters): (event: EngineEvent) => boolean {
  checkFilterKeys(filters, keys);
  return (event) =>
    anyMatches(filters, "type", (type) => type === event.type) &&
    anyMatches(filters, "event", (wanted) => isAction(event.action, wanted)) &&
    anyMatches(filters, "scope", (scope) => scope === "local") &&
    allMatch(filters, "label", (label) => hasLabel(event.attributes, label)) &&
    isActor(filters, event, "container") &&
    isActor(filters, event, "network") &&
    isActor(filters, event, "volume") &&
    isActor(filters, event, "daemon") &&
    anyMatches(filters, "image", (image) => concernsImage(event, image)) &&
    foreign.every((type) => (filters.get(type) ?? []).length === 0);
}

/** Kinds of objects that this engine has none of: a filter for one matches nothing. */
const foreign = ["config", "node", "plugin", "service", "secret", "builder"];

/** `exec_create` also means `exec_create: sh -c ls`. */
const isAction = (action: string, wanted: string): boolean =>
  action === wanted || action.startsWith(`${wanted}:`);

function isActor(filters: Filters, event: EngineEvent, type: string): boolean {
  return anyMatches(
    filters,
    type,
    (wanted) => event.type === type && (event.actorId.startsWith(wanted) || event.attributes.name === wanted),
  );
}

function concernsImage(event: EngineEvent, wanted: string): boolean {
  const name = event.type === "image" ? event.attributes.name : event.attributes.image;
  const given = event.type === "image" ? [event.actorId, name] : [name];
  return given.some((text) => text !== undefined && (text === wanted || withoutTag(text) === wanted));
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}
