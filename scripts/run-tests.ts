import { type Inventory, leaksBetween, takeInventory } from "../tests/fixtures/leaks.ts";
import { guestKernel } from "../tests/qemu/guest-kernel.ts";

/**
 * Runs every suite after the other, adds up what they counted, and looks whether the machine is as it was.
 * A suite that fails without a failed test (a crash, a time-out, a complaint of the linter) counts as one.
 */
interface Suite {
  readonly name: string;
  /** More than one run at the same time. */
  readonly commands: readonly (readonly string[])[];
  /** What they would do in each other's way. */
  readonly prepare?: () => Promise<unknown>;
  readonly count: (output: string) => Counts;
  readonly timeoutMs: number;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const minuteMs = 60_000;
const suites: readonly Suite[] = [
  { name: "static", commands: [["scripts/check", "static"]], count: countNothing, timeoutMs: 3 * minuteMs },
  { name: "unit", commands: [["bun", "test", "src"]], count: countBun, timeoutMs: 5 * minuteMs },
  {
    name: "helper",
    commands: [["make", "-C", "helper", "test"]],
    count: countPlain,
    timeoutMs: 5 * minuteMs,
  },
  // They share the machine, so their files run one after the other.
  ...["integration", "conformance"].map((name) => bunSuite(name, [`tests/${name}`])),
  // Each file boots a machine of its own, and says itself why it cannot.
  { ...bunSuite("qemu", testFiles("tests/qemu")), prepare: () => guestKernel().catch(() => undefined) },
];

function bunSuite(name: string, paths: readonly string[]): Suite {
  const commands = paths.map((path) => ["bun", "test", "--timeout", "60000", path]);
  return { name, commands, count: countBun, timeoutMs: 15 * minuteMs };
}

function testFiles(folder: string): string[] {
  return [...new Bun.Glob("**/*.test.ts").scanSync(folder)].map((file) => `./${folder}/${file}`);
}

process.exit(await main(process.argv.slice(2)));

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !suites.some((suite) => suite.name === name));
  if (unknown !== undefined)
    throw new Error(`no suite ${unknown}; there are: ${suites.map((s) => s.name).join(" ")}`);
  const chosen = suites.filter((suite) => names.length === 0 || names.includes(suite.name));
  const before = await takeInventory();
  const results: { suite: Suite; counts: Counts; seconds: number }[] = [];
  for (const suite of chosen) {
    for (const argv of suite.commands) console.log(`\n== ${suite.name}: ${argv.join(" ")}`);
    const start = performance.now();
    await suite.prepare?.();
    const counts = sumOf(await Promise.all(suite.commands.map((argv) => run(suite, argv))));
    results.push({ suite, counts, seconds: (performance.now() - start) / 1000 });
  }
  const leaks = await findLeaks(before);
  report(results, leaks);
  const { passed, failed, skipped } = sumOf([...results.map(({ counts }) => counts), leakCounts(leaks)]);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function sumOf(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** What is still there after a moment: processes that were told to end need one. */
async function findLeaks(before: Inventory): Promise<string[]> {
  const end = performance.now() + 5000;
  for (;;) {
    const leaks = leaksBetween(before, await takeInventory());
    if (leaks.length === 0 || performance.now() > end) return leaks;
    await Bun.sleep(100);
  }
}

async function run(suite: Suite, argv: readonly string[]): Promise<Counts> {
  const child = Bun.spawn([...argv], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: suite.timeoutMs,
    killSignal: "SIGKILL",
  });
  const [out, err, exitCode] = await Promise.all([echo(child.stdout), echo(child.stderr), child.exited]);
  const counts = suite.count(out + err);
  const counted = counts.passed + counts.failed + counts.skipped > 0;
  if (exitCode === 0) return counted ? counts : { ...counts, passed: 1 };
  if (counts.failed > 0) return counts;
  console.log(
    child.signalCode ? `${suite.name}: ended by ${child.signalCode}` : `${suite.name}: exit code ${exitCode}`,
  );
  return { ...counts, failed: 1 };
}

/** Shows the output while it comes, and returns all of it. */
async function echo(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const part = decoder.decode(chunk, { stream: true });
    text += part;
    process.stdout.write(part);
  }
  return text;
}

/** The closing lines of `bun test`. */
function countBun(output: string): Counts {
  const last = (word: string) =>
    Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}$`, "gm"))].at(-1)?.[1] ?? 0);
  return { passed: last("pass"), failed: last("fail"), skipped: last("skip") + last("todo") };
}

/** A closing line `N passed, N failed`, with `, N skipped` or without. */
function countPlain(output: string): Counts {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  return {
    passed: Number(found?.[1] ?? 0),
    failed: Number(found?.[2] ?? 0),
    skipped: Number(found?.[3] ?? 0),
  };
}

/** A suite that counts as one test by its exit code. */
function countNothing(): Counts {
  return { passed: 0, failed: 0, skipped: 0 };
}

function leakCounts(leaks: readonly string[]): Counts {
  return { passed: leaks.length === 0 ? 1 : 0, failed: leaks.length === 0 ? 0 : 1, skipped: 0 };
}

function report(
  results: readonly { suite: Suite; counts: Counts; seconds: number }[],
  leaks: readonly string[],
): void {
  console.log("");
  for (const { suite, counts, seconds } of results) {
    const { passed, failed, skipped } = counts;
    const parts = [`${passed} passed`, `${failed} failed`, `${skipped} skipped`, `${seconds.toFixed(1)} s`];
    console.log(`${suite.name.padEnd(12)} ${parts.join(", ")}`);
  }
  console.log(`${"leaks".padEnd(12)} ${leaks.length === 0 ? "none" : leaks.join("\n             ")}`);
}
