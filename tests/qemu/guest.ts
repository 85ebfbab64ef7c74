import { expect, test } from "bun:test";
import { command } from "../fixtures/command.ts";
import { guestKernel } from "./guest-kernel.ts";

/** Named shell scripts that run in the guest, each with `set -eu`; what one prints is shown when it fails. */
export type GuestChecks = Readonly<Record<string, string>>;

export const kernel = process.arch === "x64" ? await guestKernel() : undefined;

/** Why no guest can be booted here; empty when one can. */
export const missing =
  kernel === undefined
    ? "no kernel package for it"
    : Bun.which("qemu-system-x86_64") === null
      ? "no qemu"
      : "";

/** What every check may call. */
export const commonFunctions = `
same() { [ "$1" = "$2" ] || { echo "expected: $2"; echo "received: $1"; return 1; }; }
refused() { if "$@"; then echo "not refused: $*"; return 1; fi; }
runtime() { gantry runtime --root /run/runtime "$@"; }
`;

/** The part of a guest's script that runs checks and ends the machine. `/bin/check-functions` has to be there. */
export const runChecks = (checks: GuestChecks): string => `
check() {
  echo "# $1" # a guest that hangs has said where
  if timeout 100 sh -euc ". /bin/check-functions
$2" > /tmp/output 2>&1; then echo "ok $1"; else sed 's/^/# /' /tmp/output; echo "not ok $1"; fi
}
${Object.entries(checks)
  .map(([name, script]) => `check ${quote(name)} ${quote(script)}`)
  .join("\n")}
echo "# the end"
poweroff -f
`;

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Boots the kernel with the initramfs until the guest ends. Out: what it wrote to its console. */
export async function bootGuest(image: string, initrd: string): Promise<string> {
  const machine = ["-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "2048", "-smp", "2"];
  const boot = ["-kernel", image, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1 psi=1"];
  const { stdout } = await command(
    ["qemu-system-x86_64", ...machine, "-nographic", "-no-reboot", "-nic", "none", ...boot],
    { timeoutMs: 400_000 },
  );
  return stdout.replaceAll("\r", "");
}

/** One test for each check; the guest has run when the first one asks for its console. */
export function testChecks(checks: GuestChecks, consoleOf: () => string): void {
  test.each(Object.keys(checks))("%s", (name) => {
    const output = consoleOf();
    if (!output.includes(`\nok ${name}\n`)) throw new Error(reportOf(output, name));
    expect(output).not.toContain(`\nnot ok ${name}\n`);
  });
}

/** What the guest printed for one check, or all of it when the check was not reached. */
function reportOf(output: string, name: string): string {
  const start = output.indexOf(`\n# ${name}\n`);
  const end = output.indexOf(`not ok ${name}`, start);
  if (start < 0 || end < 0) return `the guest did not come to it:\n${output.slice(-6000)}`;
  return output.slice(start, end);
}
