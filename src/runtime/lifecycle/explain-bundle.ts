import { basename } from "node:path";
import { detectHost } from "../../kernel/host-facts.ts";
import { type DiffSide, diffPlans } from "../explain/diff-plans.ts";
import { type ExplainFormat, renderExplained } from "../explain/render-explained.ts";
import type { PlanFormat } from "../explain/render-plan.ts";
import { readBundle } from "./bundle.ts";
import { chooseSystemd } from "./choose-systemd.ts";
import { withHome } from "./home-variable.ts";
import { planBundle } from "./plan-bundle.ts";

/** What `run` would be told by its caller. */
export interface ExplainOptions {
  /** systemd makes the cgroup. */
  readonly systemdCgroup: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Plans the bundle at `path` as `gantry runtime run` on this host does, without an engine; makes nothing.
 *
 * The container's id is the directory's name: config.json has none.
 * Errors: as `readBundle`, `chooseSystemd` and `planContainer`.
 */
export function explainBundle(path: string, format: ExplainFormat, options: ExplainOptions): string {
  const { bundle, spec, plan } = planOf(path, options);
  return renderExplained(plan, format, { title: `Bundle ${bundle.directory}`, seccomp: spec.linux?.seccomp });
}

/**
 * The steps in which the bundles at two paths differ, beside the ids and directories that differ between any two.
 * Errors: as `explainBundle`.
 */
export function diffBundles(
  first: string,
  second: string,
  format: PlanFormat,
  options: ExplainOptions,
): string {
  const side = (path: string) => {
    const { bundle, plan } = planOf(path, options);
    const id = basename(bundle.directory);
    // The id alone may be as short as a letter: only where it stands for itself.
    const own: DiffSide["own"] = [
      [bundle.rootfs, "ROOT"],
      [bundle.directory, "BUNDLE"],
      [`/gantry/${id}`, "/gantry/ID"],
      [`_ses.${id}`, "_ses.ID"],
    ];
    return { name: path, plan, own };
  };
  return diffPlans(side(first), side(second), format);
}

function planOf(path: string, { systemdCgroup, env }: ExplainOptions) {
  const systemd = systemdCgroup ? chooseSystemd(process.geteuid?.() !== 0, env.XDG_RUNTIME_DIR) : undefined;
  const options = { noPivot: false, noNewKeyring: false, preserveFds: 0, ...(systemd && { systemd }) };
  const bundle = readBundle(path);
  const { directory, spec: written, rootfs } = bundle;
  const own = written.process;
  const spec = own === undefined ? written : { ...written, process: withHome(own, rootfs) };
  return { bundle, spec, plan: planBundle(basename(directory), directory, spec, detectHost(), options) };
}
