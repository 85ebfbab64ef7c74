import type { CheckRoot } from "../cli/context.ts";
import { processContext, type World } from "../cli/process-context.ts";

/** The world of this process's command line, with what only main can give it. */
export const commandLineWorld = (): World => processContext(checkRoot);

/** Loaded at its first use: no other command needs the stores. */
const checkRoot: CheckRoot = async function* (root, wanted) {
  const { fsckStoppedRoot } = await import("./compose-fsck.ts");
  const { registryAuth } = await import("../cli/progress/registry-auth.ts");
  const { parseCredentials } = await import("../api/docker/credentials.ts");
  yield* fsckStoppedRoot(root, {
    ...wanted,
    credentials: (domain) => parseCredentials(registryAuth(domain, processContext())),
    signal: new AbortController().signal,
  });
};
