import type { Healthcheck } from "../oci-image.ts";

/** Words as they were written, or the text that a shell gets. */
export type CommandLine =
  | { readonly form: "exec"; readonly words: readonly string[] }
  | { readonly form: "shell"; readonly text: string };

/** Names and values still have their quotes and variables: see expandWord. */
export type Pair = readonly [name: string, value: string];

/** One instruction that changes an image's configuration and no file. Dockerfile reference. */
export type ConfigInstruction =
  | { readonly name: "CMD" | "ENTRYPOINT"; readonly command: CommandLine }
  | { readonly name: "ENV" | "LABEL"; readonly pairs: readonly Pair[] }
  | { readonly name: "EXPOSE" | "VOLUME"; readonly words: readonly string[] }
  | { readonly name: "USER" | "WORKDIR" | "STOPSIGNAL"; readonly word: string }
  | { readonly name: "HEALTHCHECK"; readonly healthcheck: Healthcheck }
  | { readonly name: "ONBUILD"; readonly trigger: string }
  | { readonly name: "SHELL"; readonly words: readonly string[] };

export type ConfigInstructionName = ConfigInstruction["name"];
