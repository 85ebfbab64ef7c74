/** Where a compiled executable has the entries it was built from, relative to their common folder `src`. */
const embeddedRoot = "/$bunfs/root/";

export interface WorkerOptions {
  /** Of its thread. */
  readonly name: string;
  /** Goes the way of addon.ts, which looks at GANTRY_ADDON first. */
  readonly addonPath?: string | undefined;
}

/**
 * Starts a Worker from source or from a compiled executable. `entry` is its module below `src`, without the ending. In
 * the executable it has to be one of the entries of the build, and modules are no longer beside each other.
 */
export function startWorker(entry: string, { name, addonPath }: WorkerOptions): Worker {
  const isCompiled = import.meta.path.startsWith(embeddedRoot);
  const module = isCompiled ? `${embeddedRoot}${entry}.js` : new URL(`../${entry}.ts`, import.meta.url);
  const env = addonPath === undefined ? {} : { env: { ...process.env, GANTRY_ADDON: addonPath } };
  return new Worker(module, { name, ...env });
}
