import { PlatformError } from "../../errors/platform-error.ts";
import { clientVersion } from "../client-version.ts";
import { defineCommand } from "../command.ts";
import { apiVersion } from "../engine-client.ts";
import { text } from "../flag-kinds.ts";
import { templateFor } from "../format/template-for.ts";

interface ServerVersion {
  readonly Platform?: { readonly Name: string };
  readonly Components?: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: Readonly<Record<string, string>> | null;
  }[];
  readonly Version: string;
  readonly ApiVersion: string;
}

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

const client = {
  Version: clientVersion,
  ApiVersion: apiVersion,
  DefaultAPIVersion: apiVersion,
  BunVersion: Bun.version,
  Os: "linux",
  Arch: goArchitectures[process.arch] ?? process.arch,
};

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: { format: text('"json", or a Go template', { short: "f" }) },
    args: { min: 0, max: 0 },

    async execute(context, { flags: { format } }) {
      const template = await templateFor(format);
      let server: ServerVersion | undefined;
      let failure: unknown;
      try {
        server = await context.engine.json<ServerVersion>("GET", "/version");
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error;
        failure = error; // the client's own version is worth printing all the same
      }
      const versions = { Client: client, Server: server ?? null };
      if (template !== undefined) context.stdout.write(`${template(versions)}\n`);
      else if (format === "json") context.stdout.write(`${JSON.stringify(versions)}\n`);
      else context.stdout.write(clientText() + (server === undefined ? "" : serverText(server)));
      if (failure !== undefined) throw failure;
      return 0;
    },
  });

const line = (indent: number, name: string, value: string) =>
  `${" ".repeat(indent)}${`${name}:`.padEnd(20 - indent)}${value}\n`;

function clientText(): string {
  return (
    "Client:\n" +
    line(1, "Version", client.Version) +
    line(1, "API version", client.ApiVersion) +
    line(1, "Bun version", client.BunVersion) +
    line(1, "OS/Arch", `${client.Os}/${client.Arch}`)
  );
}

function serverText({ Platform, Components, Version, ApiVersion }: ServerVersion): string {
  const components = Components ?? [{ Name: "Engine", Version, Details: { ApiVersion } }];
  const name = Platform?.Name ? ` ${Platform.Name}` : "";
  return `\nServer:${name}\n${components.map(componentText).join("")}`;
}

function componentText({ Name, Version, Details }: NonNullable<ServerVersion["Components"]>[number]): string {
  const details = Object.entries(Details ?? {}).filter(([, value]) => value !== "");
  const rows = [["Version", Version] as const, ...details];
  return ` ${Name}:\n${rows.map(([name, value]) => line(2, name, value)).join("")}`;
}
