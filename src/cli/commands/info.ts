import { clientVersion } from "../client-version.ts";
import { defineCommand } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { type EngineInfo, infoText } from "../format/info-text.ts";
import { templateFor } from "../format/template-for.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS]",
    flags: { format: text('"json", or a Go template', { short: "f" }) },
    args: { min: 0, max: 0 },

    async execute(context, { flags: { format } }) {
      const template = await templateFor(format);
      const info = await context.engine.json<EngineInfo>("GET", "/info");
      const ClientInfo = { Debug: false, Version: clientVersion, Plugins: [], Warnings: null };
      if (template !== undefined) context.stdout.write(`${template({ ...info, ClientInfo })}\n`);
      else if (format === "json") context.stdout.write(`${JSON.stringify({ ...info, ClientInfo })}\n`);
      else context.stdout.write(infoText(info, clientVersion));
      for (const warning of info.Warnings ?? []) context.stderr.write(`${warning}\n`);
      return 0;
    },
  });
