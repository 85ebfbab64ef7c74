import { readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/**
 * Checks the direction of imports between the rooms of src/ (docs/architecture.md), that no files import each
 * other in a circle, and that only kernel/ calls the native addon. Types count like values: a type that is
 * needed above and below belongs below.
 */
const below: Record<string, readonly string[]> = {
  errors: [],
  log: ["errors"],
  pool: [],
  formats: ["errors", "log"],
  wire: ["errors", "log", "formats"],
  kernel: ["errors", "log", "formats"],
  runtime: ["errors", "log", "formats", "kernel"],
  shim: ["errors", "log", "pool", "formats", "wire", "kernel", "runtime"],
  network: ["errors", "log", "pool", "formats", "kernel"],
  registry: ["errors", "log", "formats", "wire", "kernel", "core"],
  core: ["errors", "log", "formats", "wire", "kernel", "runtime", "shim", "registry"],
  engine: ["errors", "log", "formats", "wire", "kernel", "runtime", "shim", "core", "network", "registry"],
  api: ["errors", "log", "formats", "wire", "kernel", "runtime", "shim", "core", "network", "engine"],
  // A thin HTTP client: of the kernel it needs the terminal, of the engine nothing.
  // Only `explain --bundle` needs no engine: it is imported from cli/runtime when it is asked for.
  cli: ["errors", "log", "formats", "wire", "kernel", "cli/runtime"],
  // The OCI runtime needs no engine: its command line stands directly on the lifecycle.
  "cli/runtime": ["errors", "log", "formats", "wire", "kernel", "cli", "runtime"],
  // The runtime's command line for the front's interpreter, and what it has there in the place of Bun.
  snapshot: ["errors", "formats", "kernel", "runtime", "shim", "cli", "cli/runtime"],
  main: [
    "errors",
    "log",
    "formats",
    "wire",
    "kernel",
    "runtime",
    "shim",
    "core",
    "network",
    "registry",
  ].concat(["engine", "api", "cli", "cli/runtime"]),
};

const root = join(import.meta.dirname, "../src");
const files = [...new Bun.Glob("**/*.ts").scanSync(root)].filter((file) => !file.endsWith(".d.ts")).sort();
const importsOf = new Map(files.map((file) => [file, importedFiles(file)] as const));
const complaints = [...importsOf].flatMap(([file, imports]) =>
  imports.flatMap((target) => complaintsAbout(file, target)),
);
complaints.push(...findCycles());

for (const complaint of complaints) console.error(`imports: ${complaint}`);
console.log(`imports: ${files.length} files, ${complaints.length} complaints`);
process.exit(complaints.length === 0 ? 0 : 1);

/** The files below src/ that a file imports, `import type` and `import()` included. */
function importedFiles(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8").replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const specifiers = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers]
    .map(([, specifier = ""]) => relative(root, join(root, dirname(file), specifier)))
    .filter((target) => !target.startsWith("..") && target.endsWith(".ts"));
}

function complaintsAbout(file: string, target: string): string[] {
  const from = roomOf(file);
  const to = roomOf(target);
  const found: string[] = [];
  if (!(from in below))
    found.push(`${file}: the room ${from}/ is not in the list of scripts/check-imports.ts`);
  else if (from !== to && !below[from]?.includes(to))
    found.push(`${file}: ${from}/ must not import ${target}`);
  if (
    target === join("kernel", "addon.ts") &&
    from !== "kernel" &&
    from !== "main" &&
    !/\.test\.ts$|\/testing\//.test(file)
  )
    found.push(`${file}: only kernel/ makes system calls; give this one a typed wrapper there`);
  return found;
}

/** The first folder, or the first two where they have a rule of their own. */
function roomOf(file: string): string {
  const [first = "", second = ""] = file.split(sep);
  return `${first}/${second}` in below ? `${first}/${second}` : first;
}

function findCycles(): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push(`circle: ${[...path.slice(start), file].join(" → ")}`);
      return;
    }
    if (done.has(file)) return;
    for (const target of importsOf.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}
