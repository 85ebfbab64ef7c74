import { mkdirSync, statSync } from "node:fs";
import type { OciMount } from "../../formats/oci-runtime.ts";
import type { TargetKind } from "../../kernel/steps.ts";
import type { HostConfig } from "../spec/docker-config.ts";
import { parseBind } from "../spec/parse-bind.ts";

/** Makes the missing sources of `-v`, as Docker does; those of `--mount` have to exist. */
export function makeBindSources({ Binds = [] }: HostConfig): void {
  for (const text of Binds) {
    const { source } = parseBind(text);
    if (!statSync(source, { throwIfNoEntry: false })) mkdirSync(source, { recursive: true });
  }
}

/** What the sources of a spec's binds are, by path: it decides what a missing target is made as. */
export function bindSourceKinds(mounts: readonly OciMount[]): Map<string, TargetKind> {
  const sources = mounts.flatMap(({ type, source }) =>
    type === "bind" && source !== undefined ? [source] : [],
  );
  return new Map(
    sources.map((source) => {
      const found = statSync(source, { throwIfNoEntry: false });
      return [source, found === undefined || found.isDirectory() ? "directory" : "file"];
    }),
  );
}
