/** Where a compiled executable has the entries it was built from, relative to their common folder `src`. */
const embeddedRoot = "/$bunfs/root/";

/**
 * Starts the Worker of unpack-worker.ts, from source or from a compiled executable. There the entry has to be one
 * of the build, and modules are no longer beside each other. `addonPath` goes the way of kernel/addon.ts, which
 * looks at GANTRY_ADDON first.
 */
export function startWorker(addonPath?: string): Worker {
  const isCompiled = import.meta.path.startsWith(embeddedRoot);
  const entry = isCompiled
    ? `${embeddedRoot}core/unpack/unpack-worker.js`
    : new URL("./unpack-worker.ts", import.meta.url);
  const env = addonPath === undefined ? {} : { env: { ...process.env, GANTRY_ADDON: addonPath } };
  return new Worker(entry, { name: "unpack", ...env });
}
