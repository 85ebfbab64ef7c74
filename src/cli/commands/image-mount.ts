import { resolve } from "node:path";
import { defineCommand } from "../command.ts";

interface ImageMount {
  readonly Image: string;
  readonly ImageID: string;
  readonly Path: string;
}

const path = "/gantry/v1/image-mounts";

export const command = () =>
  defineCommand({
    usage: "[IMAGE [DIR]]",
    flags: {},
    args: { min: 0, max: 2 },

    async execute(context, { args: [image, directory] }) {
      if (image !== undefined) {
        const query = { image, path: directory === undefined ? undefined : resolve(directory) };
        const { Path } = await context.engine.json<ImageMount>("POST", path, { query });
        context.stdout.write(`${Path}\n`);
        return 0;
      }
      const { alignColumns } = await import("../format/tabwriter.ts");
      const mounts = await context.engine.json<ImageMount[]>("GET", path);
      const rows = mounts.map(({ Image, ImageID, Path }) => `${Image}\t${ImageID.slice(7, 19)}\t${Path}\n`);
      context.stdout.write(alignColumns(`IMAGE\tIMAGE ID\tPATH\n${rows.join("")}`));
      return 0;
    },
  });
