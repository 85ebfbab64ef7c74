import { existsSync } from "node:fs";
import { join } from "node:path";
import { humanSize } from "../cli/format/human.ts";
import { conflict, messageOf, notFound, PlatformError, systemError } from "../errors/platform-error.ts";
import { createLog } from "../log/log.ts";
import { type CollectionReport, type CollectionRequest, Collector } from "../registry/server/gc/collector.ts";
import { openRegistry, registryMarker } from "../registry/server/registry.ts";
import { lockDirectory } from "./directory-lock.ts";
import { adminSocketPath, collectPath } from "./registry-admin.ts";
import type { RegistryGcOptions } from "./registry-gc-options.ts";

/** `gantry registry gc`: by the server that runs on the directory, or else in it. Out: the exit code. */
export async function collectRegistry({ root, request }: RegistryGcOptions): Promise<number> {
  if (!existsSync(join(root, registryMarker))) throw notFound(`${root} is not a registry's directory`);
  const report = isServed(root) ? await askServer(root, request) : await collectHere(root, request);
  process.stdout.write(formatReport(report));
  return 0;
}

/** When nobody serves, the directory is locked by this process from now on. */
function isServed(root: string): boolean {
  try {
    lockDirectory(root, "registry");
    return false;
  } catch (error) {
    if (error instanceof PlatformError && error.kind === "Conflict") return true;
    throw error;
  }
}

async function collectHere(root: string, request: CollectionRequest): Promise<CollectionReport> {
  const log = createLog("warn", (line) => process.stderr.write(line));
  return await new Collector(await openRegistry(root), log).collect(request);
}

async function askServer(root: string, request: CollectionRequest): Promise<CollectionReport> {
  const socket = adminSocketPath(root);
  let response: Response;
  try {
    response = await fetch(`http://localhost${collectPath}`, {
      unix: socket,
      method: "POST",
      body: JSON.stringify(request),
      timeout: false,
    });
  } catch (error) {
    throw conflict(`the registry that uses ${root} does not answer at ${socket}: ${messageOf(error)}`, {
      hint: "stop it, and collect then",
      cause: error,
    });
  }
  if (!response.ok) throw systemError(`collect: ${response.status} ${await response.text()}`);
  return (await response.json()) as CollectionReport;
}

/** A line for each thing, and the sum. */
export function formatReport({ dryRun, items, freedBytes }: CollectionReport): string {
  const lines = items.map(
    ({ repository, kind, name, bytes, why }) =>
      `${repository || "-"}\t${kind} ${name}\t${humanSize(bytes)}\t${why}`,
  );
  const count = (kind: string) => items.filter((item) => item.kind === kind).length;
  const what = `${count("manifest")} manifests, ${count("blob")} blobs, ${count("upload")} uploads`;
  lines.push(`${dryRun ? "Would remove" : "Removed"} ${what}: ${humanSize(freedBytes)}`);
  return `${lines.join("\n")}\n`;
}
