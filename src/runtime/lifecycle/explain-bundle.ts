import { basename } from "node:path";
import { detectHost } from "../../kernel/host-facts.ts";
import { type ExplainFormat, renderExplained } from "../explain/render-explained.ts";
import { readBundle } from "./bundle.ts";
import { withHome } from "./home-variable.ts";
import { planBundle } from "./plan-bundle.ts";

const options = { noPivot: false, noNewKeyring: false, preserveFds: 0 };

/**
 * Plans the bundle at `path` as `gantry runtime run` on this host does, without an engine; makes nothing.
 *
 * The container's id is the directory's name: config.json has none.
 * Errors: as `readBundle` and `planContainer`.
 */
export function explainBundle(path: string, format: ExplainFormat): string {
  const { directory, spec: written, rootfs } = readBundle(path);
  const { process } = written;
  const spec = process === undefined ? written : { ...written, process: withHome(process, rootfs) };
  const plan = planBundle(basename(directory), directory, spec, detectHost(), options);
  return renderExplained(plan, format, { title: `Bundle ${directory}`, seccomp: spec.linux?.seccomp });
}
