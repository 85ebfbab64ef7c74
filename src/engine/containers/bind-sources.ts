import { mkdirSync, statSync } from "node:fs";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciMount } from "../../formats/oci-runtime.ts";
import type { TargetKind } from "../../kernel/steps.ts";
import type { HostConfig } from "../spec/docker-config.ts";
import { parseBind } from "../spec/parse-bind.ts";

/** Refuses a `--mount type=bind` whose source does not exist, unless it asks to have it made. */
export function checkBindSources({ Mounts = [] }: HostConfig): void {
  for (const { Type, Source = "", BindOptions } of Mounts) {
    if (Type !== "bind" || BindOptions?.CreateMountpoint === true) continue;
    if (!statSync(Source, { throwIfNoEntry: false })) {
      throw invalidParameter(
        `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
      );
    }
  }
}

/** Makes the missing sources of `-v`, as Docker does; those of `--mount` have to exist. */
export function makeBindSources({ Binds = [], Mounts = [] }: HostConfig): void {
  const wanted = Mounts.filter(
    ({ Type, BindOptions }) => Type === "bind" && BindOptions?.CreateMountpoint === true,
  );
  for (const source of [
    ...Binds.map((text) => parseBind(text).source),
    ...wanted.map(({ Source = "" }) => Source),
  ]) {
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
