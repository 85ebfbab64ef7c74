import type { CommandContext } from "../context.ts";
import { pathOf } from "../engine-client.ts";

/** The fields of a container's inspection that commands decide by. */
export interface ContainerFacts {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Running: boolean; readonly Paused: boolean; readonly Restarting: boolean };
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean };
  readonly HostConfig: { readonly AutoRemove: boolean };
}

export function inspectContainer(context: CommandContext, name: string): Promise<ContainerFacts> {
  return context.engine.json<ContainerFacts>("GET", `/containers/${pathOf(name)}/json`);
}
