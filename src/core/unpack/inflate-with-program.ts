import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { invalidParameter } from "../../errors/platform-error.ts";

/** What neither Bun nor zlib inflates, by the program that does; single-threaded, and with a bound on memory. */
const programs = {
  bzip2: ["bzip2", "-dc"],
  xz: ["xz", "-dc", "-T1", "--memlimit-decompress=512MiB"],
} as const;

export type ProgramCompression = keyof typeof programs;

const packages: Readonly<Record<ProgramCompression, string>> = { bzip2: "bzip2", xz: "xz-utils" };
const maxErrorBytes = 4096;

/**
 * The uncompressed bytes of `source`, by the machine's own program, which gets nothing but the data.
 * Errors: InvalidParameter naming `what` when there is no such program, and for data that it refuses.
 */
export async function* inflateWithProgram(
  compression: ProgramCompression,
  source: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const [name, ...args] = programs[compression];
  const path = Bun.which(name, { PATH: process.env.PATH ?? "" });
  if (path === null) {
    throw invalidParameter(`${what}: to unpack ${compression}, the program ${name} has to be installed`, {
      code: "layer.compression",
      hint: `install the package ${packages[compression]}, or compress it with gzip or zstd`,
    });
  }
  const child = spawn(path, args, { stdio: "pipe", env: { LC_ALL: "C" }, cwd: "/" });
  const exited = once(child, "close");
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    if (complaint.length < maxErrorBytes) complaint += text;
  });
  let sourceFailure: { error: unknown } | undefined;
  const watched = watch(source, (error) => {
    sourceFailure = { error };
  });
  // It closes its input when the data is bad: then its exit code and what it says are the reason.
  const feeding = pipeline(Readable.from(watched), child.stdin).catch(() => child.stdin.destroy());
  try {
    for await (const piece of child.stdout) yield piece;
    const [code] = await exited;
    await feeding;
    if (sourceFailure) throw sourceFailure.error;
    if (code !== 0) throw refused(compression, what, complaint);
  } finally {
    child.kill("SIGKILL");
    child.stdout.destroy();
    await Promise.all([feeding, exited]);
  }
}

/** Tells the errors of the source from those of whoever reads it. */
async function* watch(
  source: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const next = () =>
    chunks.next().catch((error: unknown) => {
      onError(error);
      throw error;
    });
  try {
    for (let part = await next(); !part.done; part = await next()) yield part.value;
  } finally {
    await chunks.return?.();
  }
}

function refused(compression: ProgramCompression, what: string, complaint: string) {
  const said = complaint.trim().split("\n")[0] || "it is not complete";
  return invalidParameter(`${what}: corrupt ${compression} data: ${said}`, { code: "layer.corrupt" });
}
