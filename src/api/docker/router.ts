import { notFound } from "../../errors/platform-error.ts";
import type { Route } from "./route.ts";

export interface Match {
  readonly route: Route;
  readonly params: Record<string, string>;
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

/**
 * Finds the route of a method and path. Paths without parameters come first, so that `/images/json` is never an
 * image named `json`; then the routes in their order.
 */
export class Router {
  readonly #exact = new Map<string, Route>();
  /** By method and first segment, which is never a parameter. */
  readonly #patterns = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (!route.path.includes("{")) this.#exact.set(`${route.method} ${route.path}`, route);
      else this.#addPattern(route);
    }
  }

  find(method: string, path: string): Match | undefined {
    const exact = this.#exact.get(`${method} ${path}`);
    if (exact) return { route: exact, params: {} };
    for (const { route, pattern, names } of this.#patterns.get(groupOf(method, path)) ?? []) {
      const found = pattern.exec(path);
      if (found) return { route, params: paramsOf(names, found) };
    }
    return undefined;
  }

  /** NotFound `page not found` for an unknown path and also for a wrong method: there is no 405. */
  match(method: string, path: string): Match {
    const found = this.find(method, path);
    if (!found) throw notFound("page not found");
    return found;
  }

  #addPattern(route: Route): void {
    const names: string[] = [];
    const source = route.path.replace(/\{(\w+)\}|[.*+?^$()|[\]\\]/g, (part, name: string | undefined) => {
      if (name === undefined) return `\\${part}`;
      names.push(name);
      return "(.+)";
    });
    const group = groupOf(route.method, route.path);
    const compiled = { route, pattern: new RegExp(`^${source}$`), names };
    this.#patterns.set(group, [...(this.#patterns.get(group) ?? []), compiled]);
  }
}

const groupOf = (method: string, path: string): string => `${method} ${path.split("/", 2)[1] ?? ""}`;

function paramsOf(names: readonly string[], found: RegExpExecArray): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, decoded(found[index + 1] ?? "")]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % is a part of the name
  }
}
