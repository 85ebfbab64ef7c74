import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { ClientFiles } from "../client-files.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { EngineError } from "../engine-client.ts";
import { reasonOf } from "../values/environment.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { createBody } from "./create-body.ts";

export interface CreatedContainer {
  readonly Id: string;
  readonly Warnings?: readonly string[] | null;
}

/**
 * Creates the container of `run` and `create`; pulls its image as `--pull` says, by default when the engine does
 * not have it. Warnings go to standard error, the id into `--cidfile`.
 */
export async function createContainer(
  context: CommandContext,
  flags: ContainerFlags,
  [image = "", ...command]: readonly string[],
  detached = false,
): Promise<CreatedContainer> {
  checkPullPolicy(flags.pull);
  const consoleSize = flags.tty ? context.terminal.size() : undefined;
  const body = createBody({
    flags,
    image,
    command,
    detached,
    env: context.env,
    files: context.files,
    consoleSize,
  });
  using idFile = flags.cidfile === undefined ? undefined : new ContainerIdFile(context.files, flags.cidfile);
  if (flags.pull === "always") await pull(context, flags, image);
  const create = () =>
    context.engine.json<CreatedContainer>("POST", "/containers/create", {
      query: { name: flags.name, platform: flags.platform },
      json: body,
    });
  let created: CreatedContainer;
  try {
    created = await create();
  } catch (error) {
    if (!isMissingImage(error) || flags.pull !== "missing") throw error;
    const { familiarReference, parseReference, withDefaultTag } = await import("../../formats/reference.ts");
    const shown = familiarReference(withDefaultTag(parseReference(image)));
    await pull(context, flags, image, `Unable to find image '${shown}' locally\n`);
    created = await create();
  }
  for (const warning of created.Warnings ?? []) context.stderr.write(`WARNING: ${warning}\n`);
  idFile?.write(created.Id);
  return created;
}

function checkPullPolicy(policy: string): void {
  if (["always", "missing", "never"].includes(policy)) return;
  throw new CommandError(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`, {
    exitCode: 125,
    usageHint: true,
  });
}

const isMissingImage = (error: unknown) =>
  error instanceof EngineError && error.status === 404 && /no such image/i.test(error.message);

/** Progress goes to standard error: standard output is the container's. */
async function pull(
  context: CommandContext,
  flags: ContainerFlags,
  image: string,
  announcement = "",
): Promise<void> {
  const { parseReference } = await import("../../formats/reference.ts");
  const { registryAuth } = await import("../progress/registry-auth.ts");
  const { pullImage } = await import("../progress/pull-image.ts");
  const auth = registryAuth(parseReference(image).domain, context);
  if (!flags.quiet) context.stderr.write(announcement);
  await pullImage(context, {
    image,
    platform: flags.platform,
    auth,
    output: flags.quiet
      ? undefined
      : { stream: context.stderr, isTerminal: context.terminal.isTerminal("stderr") },
  });
}

/** `--cidfile`: made before the container, so that a failure leaves neither; removed again when nothing was written. */
class ContainerIdFile implements Disposable {
  private readonly fd: number;
  private written = false;

  constructor(
    files: ClientFiles,
    private readonly path: string,
  ) {
    files.require();
    try {
      this.fd = openSync(path, "wx", 0o644);
    } catch (error) {
      const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
      throw new CommandError(
        exists
          ? `container ID file found, make sure the other container isn't running or delete ${path}`
          : `failed to create the container ID file: open ${path}: ${reasonOf(error)}`,
        { exitCode: 125, cause: error },
      );
    }
  }

  write(id: string): void {
    writeSync(this.fd, id);
    this.written = true;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    if (!this.written) rmSync(this.path, { force: true });
  }
}
