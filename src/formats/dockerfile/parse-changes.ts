import { dockerfileError } from "./dockerfile-error.ts";
import type { ConfigInstruction, ConfigInstructionName } from "./instruction.ts";
import { logicalLines } from "./logical-lines.ts";
import { parseConfigInstruction, splitInstruction } from "./parse-instruction.ts";

const allowed: readonly ConfigInstructionName[] = [
  "CMD",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "ONBUILD",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
];

/**
 * Reads the instructions of `commit --change` and `import --change`.
 * Errors: InvalidParameter in Docker's words for other instructions, and for broken ones.
 */
export function parseChanges(changes: readonly string[]): ConfigInstruction[] {
  return logicalLines(changes.join("\n")).map((line) => {
    const text = splitInstruction(line);
    const name = allowed.find((each) => each === text.name);
    if (name === undefined) throw dockerfileError(`${text.name} is not a valid change command`);
    return parseConfigInstruction(name, text);
  });
}
