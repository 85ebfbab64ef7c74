import { packImage, packTar, type TarEntry } from "../../../scripts/image-archive.ts";
import type { TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";

/** Loads `NAME:latest`: the busybox image without the entries named in `without`, and a layer of `entries` above it. */
export async function loadHostile(
  engine: TestEngine,
  name: string,
  entries: readonly TarEntry[],
  options: { config?: Record<string, unknown>; without?: readonly string[] } = {},
): Promise<void> {
  const base = (await busyboxFiles()).filter((entry) => !options.without?.includes(entry.name));
  await engine.load(
    packImage({
      tags: [`${name}:latest`],
      layers: [packTar(base), packTar(entries)],
      config: { Cmd: ["sh"], Env: ["PATH=/bin"], ...options.config },
    }),
  );
}

/** An executable file of an image. */
export const program = (name: string, content: string): TarEntry => ({ name, content, mode: 0o755 });
