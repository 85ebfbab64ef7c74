import { parseReference, repositoryName, withDefaultTag } from "../../formats/reference.ts";
import { readJsonLines } from "../../wire/json-lines.ts";
import type { ProgressMessage } from "../../wire/progress.ts";
import type { CommandContext } from "../context.ts";
import { ProgressDisplay, type ProgressOutput } from "./progress-display.ts";

export interface PullRequest {
  /** As the user wrote it. */
  readonly image: string;
  /** Of a name alone every tag; otherwise it means `latest`. */
  readonly allTags?: boolean;
  readonly platform: string | undefined;
  /** The header `X-Registry-Auth`, see registryAuth. */
  readonly auth: string | undefined;
  /** Undefined: nothing is shown. */
  readonly output: Omit<ProgressOutput, "columns"> | undefined;
}

/** Has the engine pull an image and shows how it goes. Errors: EngineError, also from the stream. */
export async function pullImage(
  context: CommandContext,
  { image, allTags = false, platform, auth, output }: PullRequest,
): Promise<void> {
  const given = parseReference(image);
  const reference = allTags ? given : withDefaultTag(given);
  const response = await context.engine.open("POST", "/images/create", {
    query: {
      fromImage: repositoryName(reference),
      tag: reference.digest ?? reference.tag,
      platform,
    },
    headers: auth === undefined ? {} : { "X-Registry-Auth": auth },
  });
  await showProgress(context, response.body, output);
}

/** Errors: EngineError when the stream reports one, also when nothing is shown. */
export async function showProgress(
  context: CommandContext,
  body: AsyncIterable<Uint8Array>,
  output: Omit<ProgressOutput, "columns"> | undefined,
): Promise<void> {
  const silent = { stream: { write: () => undefined }, isTerminal: false };
  const columns = output?.isTerminal ? context.terminal.size()?.columns : undefined;
  const display = new ProgressDisplay({ ...(output ?? silent), columns });
  // Each line is one of the documented messages; the display looks only at the fields it knows.
  for await (const message of readJsonLines(body)) display.show(message as ProgressMessage);
}
