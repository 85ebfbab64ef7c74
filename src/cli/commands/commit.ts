import { defineCommand } from "../command.ts";
import { bool, list, text } from "../flag-kinds.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    flags: {
      author: text("Who made the image: `Name <mail>`", { short: "a" }),
      change: list("Apply a Dockerfile instruction to the image", { short: "c" }),
      message: text("Say what the image is for", { short: "m" }),
      "no-pause": bool("Let the container run while its files are copied"),
      pause: bool("Pause the container while its files are copied", { short: "p", initial: true }),
    },
    args: { min: 1, max: 2 },

    async execute(context, { flags, args: [container, name] }) {
      const { newImageQuery } = await import("../new-image-query.ts");
      const { Id } = await context.engine.json<{ readonly Id: string }>("POST", "/commit", {
        query: {
          container,
          ...newImageQuery(name),
          author: flags.author,
          comment: flags.message,
          changes: flags.change.join("\n"),
          pause: flags.pause && !flags["no-pause"] ? "1" : "0",
        },
      });
      context.stdout.write(`${Id}\n`);
      return 0;
    },
  });
