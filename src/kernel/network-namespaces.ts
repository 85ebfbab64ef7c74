import { addon } from "./addon.ts";
import { check } from "./syscall.ts";

/**
 * Makes a network namespace with loopback up, kept alive by a bind mount on `path`, which must not exist yet.
 * Errors: System naming the path; nothing is left.
 */
export async function makeNetworkNamespace(path: string): Promise<void> {
  check(await addon.makeNetnsAsync(path), `create network namespace ${path}`);
}
