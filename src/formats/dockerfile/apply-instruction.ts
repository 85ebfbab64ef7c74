import { posix } from "node:path";
import type { ImageConfig } from "../oci-image.ts";
import { dockerfileError } from "./dockerfile-error.ts";
import { expandToWords, expandWord } from "./expand-word.ts";
import type { CommandLine, ConfigInstruction, Pair } from "./instruction.ts";
import type { EscapeCharacter } from "./logical-lines.ts";

const defaultShell = ["/bin/sh", "-c"];

/** One after another. An entrypoint takes the command of before away, unless one of the instructions gave it. */
export function applyInstructions(
  config: ImageConfig,
  instructions: readonly ConfigInstruction[],
): ImageConfig {
  let isCommandOwn = false;
  let result = config;
  for (const instruction of instructions) {
    result = applyInstruction(result, instruction);
    isCommandOwn ||= instruction.name === "CMD";
    if (instruction.name === "ENTRYPOINT" && !isCommandOwn) {
      const { Cmd: _, ...rest } = result;
      result = rest;
    }
  }
  return result;
}

/**
 * The configuration after an instruction. Variables are those of the configuration before it.
 * Spec: Dockerfile reference. Errors: InvalidParameter in the words of Docker's builder.
 */
export function applyInstruction(
  config: ImageConfig,
  instruction: ConfigInstruction,
  escapeWith: EscapeCharacter = "\\",
): ImageConfig {
  const variables = new Map((config.Env ?? []).map(pairOf));
  const expand = (word: string) => expandWord(word, (name) => variables.get(name), escapeWith);
  switch (instruction.name) {
    case "CMD":
      return { ...config, Cmd: wordsOf(instruction.command, config) };
    case "ENTRYPOINT":
      return { ...config, Entrypoint: wordsOf(instruction.command, config) };
    case "ENV":
      return { ...config, Env: withVariables(config.Env ?? [], expandPairs(instruction.pairs, expand)) };
    case "LABEL":
      return {
        ...config,
        Labels: { ...config.Labels, ...Object.fromEntries(expandPairs(instruction.pairs, expand)) },
      };
    case "EXPOSE": {
      const words = instruction.words.flatMap((word) =>
        expandToWords(word, (name) => variables.get(name), escapeWith),
      );
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...keys(words.flatMap(exposedPorts)) } };
    }
    case "VOLUME":
      return { ...config, Volumes: { ...config.Volumes, ...keys(instruction.words.map(expand)) } };
    case "USER":
      return { ...config, User: expand(instruction.word) };
    case "STOPSIGNAL":
      return { ...config, StopSignal: expand(instruction.word) };
    case "WORKDIR":
      return { ...config, WorkingDir: workingDirectory(config.WorkingDir, expand(instruction.word)) };
    case "HEALTHCHECK":
      return { ...config, Healthcheck: instruction.healthcheck };
    case "ONBUILD":
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.trigger] };
    case "SHELL":
      return { ...config, Shell: instruction.words };
  }
}

function wordsOf(command: CommandLine, { Shell = defaultShell }: ImageConfig): readonly string[] {
  return command.form === "exec" ? command.words : [...Shell, command.text];
}

function pairOf(entry: string): Pair {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

const expandPairs = (pairs: readonly Pair[], expand: (word: string) => string): Pair[] =>
  pairs.map(([name, value]) => [expand(name), expand(value)]);

/** A variable keeps its place when its value changes. */
function withVariables(env: readonly string[], pairs: readonly Pair[]): string[] {
  const values = new Map(env.map(pairOf));
  for (const [name, value] of pairs) values.set(name, value);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

const keys = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** `8080`, `8080/udp`, `8080-8082/tcp`. */
function exposedPorts(spec: string): string[] {
  const [, first = "", last = first, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(spec) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || from > to || to > 65535) throw dockerfileError(`invalid containerPort: ${spec}`);
  const kind = protocol.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(kind)) throw dockerfileError(`invalid proto: ${protocol}`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${kind}`);
}

function workingDirectory(before: string | undefined, wanted: string): string {
  if (wanted === "") throw dockerfileError("cannot normalize nothing");
  return posix.resolve("/", before ?? "", wanted);
}
