import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { EngineError, pathOf } from "../engine-client.ts";
import { templateFor } from "./template-for.ts";

/** In the order in which a name is tried. */
export const objectKinds = ["container", "image", "network"] as const;
export type ObjectKind = (typeof objectKinds)[number];

export const isObjectKind = (text: string): text is ObjectKind => objectKinds.some((kind) => kind === text);

export interface InspectRequest {
  readonly names: readonly string[];
  readonly kinds: readonly ObjectKind[];
  readonly format: string | undefined;
  readonly size: boolean;
  /** Of images: an OCI platform in JSON. */
  readonly platform?: string | undefined;
}

/** Prints what was found, as an array or each through the template; names what was not. Out: 1 if any was missing. */
export async function inspectObjects(context: CommandContext, request: InspectRequest): Promise<number> {
  const print = await printer(request.format);
  const settled = await Promise.allSettled(request.names.map((name) => find(context, name, request)));
  const found = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  context.stdout.write(print(found));
  const failures = settled.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  for (const failure of failures) {
    if (!(failure instanceof Error)) throw failure;
    context.stderr.write(`gantry: ${failure.message}\n`);
  }
  return failures.length > 0 ? 1 : 0;
}

async function find(
  context: CommandContext,
  name: string,
  { kinds, size, platform }: InspectRequest,
): Promise<unknown> {
  for (const kind of kinds) {
    try {
      return await context.engine.json<unknown>("GET", pathTo(kind, name), {
        query: { size: size && kind === "container", platform: kind === "image" ? platform : undefined },
      });
    } catch (error) {
      const next = kinds.length > 1 && error instanceof EngineError && [400, 404].includes(error.status);
      if (!next) throw error;
    }
  }
  throw new CommandError(`no such object: ${name}`);
}

function pathTo(kind: ObjectKind, name: string): string {
  if (kind === "container") return `/containers/${pathOf(name)}/json`;
  return kind === "image" ? `/images/${pathOf(name)}/json` : `/networks/${pathOf(name)}`;
}

async function printer(format: string | undefined): Promise<(objects: readonly unknown[]) => string> {
  const template = await templateFor(format);
  if (template !== undefined) return (objects) => objects.map((object) => `${template(object)}\n`).join("");
  if (format === "json") return (objects) => `${JSON.stringify(objects)}\n`;
  return (objects) => (objects.length === 0 ? "[]\n" : `${JSON.stringify(objects, null, 4)}\n`);
}
