import type { ServiceManager, SystemdFacts } from "../../kernel/systemd/service-manager.ts";
import { detectSystemd } from "../../kernel/systemd/systemd-facts.ts";

/**
 * The service manager for a container that is made with --systemd-cgroup: the machine's, or, where the caller is not its root, the
 * user's own. Errors: as `detectSystemd`.
 */
export const chooseSystemd = (rootless: boolean, runtimeDirectory: string | undefined): SystemdFacts =>
  detectSystemd(rootless ? userManager(runtimeDirectory) : { kind: "system" });

const userManager = (runtimeDirectory: string | undefined): ServiceManager => ({
  kind: "user",
  runtimeDirectory: runtimeDirectory || `/run/user/${process.geteuid?.()}`,
});
