import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { pathOf } from "../engine-client.ts";

interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

interface InspectAnswer {
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly Binding[] | null>> | null };
}

export const command = () =>
  defineCommand({
    usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
    flags: {},
    args: { min: 1, max: 2 },

    async execute(context, { args: [container = "", wanted] }) {
      const key = wanted === undefined ? undefined : portKey(wanted);
      const { NetworkSettings } = await context.engine.json<InspectAnswer>(
        "GET",
        `/containers/${pathOf(container)}/json`,
      );
      const published = Object.entries(NetworkSettings.Ports ?? {}).filter(
        ([port, bindings]) => (key === undefined || port === key) && (bindings ?? []).length > 0,
      );
      if (key !== undefined && published.length === 0)
        throw new CommandError(`No public port '${wanted}' published for ${container}`);
      const lines = published.flatMap(([port, bindings]) =>
        (bindings ?? []).map((it) => `${key === undefined ? `${port} -> ` : ""}${address(it)}`),
      );
      const { compare } = new Intl.Collator("en", { numeric: true });
      for (const line of lines.sort(compare)) context.stdout.write(`${line}\n`);
      return 0;
    },
  });

/** `80` and `80/tcp` mean the same. */
function portKey(wanted: string): string {
  const [port = "", protocol = "tcp"] = wanted.split("/", 2);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new CommandError(`invalid port (${port})`);
  return `${port}/${protocol || "tcp"}`;
}

const address = ({ HostIp, HostPort }: Binding) =>
  HostIp.includes(":") ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;
