import addon from "../../../build/embedded/gantry-addon" with { type: "file" };
import helper from "../../../build/embedded/gantry-helper" with { type: "file" };
import helloImage from "../../../build/embedded/hello.tar" with { type: "file" };

/**
 * What the executable carries inside itself. Each is a path that node:fs can read: in `dist/gantry` one below
 * `/$bunfs/`, which neither execve nor dlopen understand (see `installEmbedded`), in a checkout the built file.
 */
export const embeddedFiles = {
  /** The static helper, for `shim`, `create` and `exec`. */
  helper,
  /** The Node-API addon. It has no `.node` ending, because Bun would load such an import instead of embedding it. */
  addon,
  /** The image `hello:latest`, as `docker save` and as an OCI layout writes it. */
  helloImage,
} as const;
