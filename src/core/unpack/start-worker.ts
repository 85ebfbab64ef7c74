/** Where a compiled executable has the entries it was built from, relative to their common folder `src`. */
const embeddedRoot = "/$bunfs/root/";

/**
 * Starts the Worker of unpack-worker.ts, from source or from a compiled executable. There the entry has to be one
 * of the build, and modules are no longer beside each other.
 */
export function startWorker(): Worker {
  const isCompiled = import.meta.path.startsWith(embeddedRoot);
  const entry = isCompiled
    ? `${embeddedRoot}core/unpack/unpack-worker.js`
    : new URL("./unpack-worker.ts", import.meta.url);
  return new Worker(entry, { name: "unpack" });
}
