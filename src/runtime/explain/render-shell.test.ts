import { expect, test } from "bun:test";
import type { KernelOperation, KernelStep, Phase } from "../../kernel/steps.ts";
import { renderShell } from "./render-shell.ts";

const step = (phase: Phase, operation: KernelOperation, reason = "default"): KernelStep => ({
  phase,
  reason,
  ...operation,
});
const render = (...steps: KernelStep[]) => renderShell({ steps }, { title: "Test" });

/** What a hostile image or client may write into names must stay a word of a command, or of a comment. */
test("no value can leave its quotes or its comment", () => {
  const hostile = `'; touch /tmp/owned; '$(id)\n\`id\`\nfi`;
  const script = render(
    step("setup", { op: "set-hostname", name: hostile }, hostile),
    step("start", { op: "change-directory", path: `/${hostile}` }),
    step("start", { op: "exec", args: ["printf", "%s", hostile], env: [`A=${hostile}`], preserveFds: 0 }),
  );
  const wordsOf = (line: string) =>
    Bun.spawnSync(["sh", "-c", `hostname() { printf %s "$1"; }; ${line}`]).stdout.toString();
  const start = script.indexOf("\nhostname ") + 1;
  expect(wordsOf(script.slice(start, script.indexOf("\n\n# == At start")))).toBe(hostile);
  for (const line of script.split("\n").filter((it) => it.startsWith("# set the host name")))
    expect(line).toContain("\\u{a}");
  expect(Bun.spawnSync(["sh", "-n"], { stdin: Buffer.from(script) }).stderr.toString()).toBe("");
});

test("says by name what commands cannot do", () => {
  const script = render(
    step("host", { op: "attach-device-filter", path: "/sys/fs/cgroup/x", program: new Uint8Array(8) }),
    step("setup", { op: "new-keyring", name: "k", required: false }),
    step("start", { op: "load-seccomp", program: new Uint8Array(8), flags: 0 }),
  );
  expect(script.match(/# NOT DONE: [\w ]+/g)).toEqual([
    "# NOT DONE: device filter",
    "# NOT DONE: session keyring",
    "# NOT DONE: seccomp",
  ]);
});

test("refuses a mount namespace to join, in which there are no programs of the host", () => {
  expect(() => render(step("clone", { op: "join-namespace", namespace: "mount", path: "/n" }))).toThrow(
    "cannot join a mount namespace",
  );
});

test("mounts the layers of a root that nobody has mounted", () => {
  const steps = [step("setup", { op: "open-root", source: "/not/there" })];
  const script = renderShell({ steps }, { title: "Test", layers: ["/a:b", "/c"] });
  expect(script).toContain("layers='/a\\:b:/c'");
  expect(script).not.toContain("realpath -e -- /not/there");
});
