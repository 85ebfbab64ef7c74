import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { messageOf, PlatformError } from "../errors/platform-error.ts";
import type { Addon } from "./addon-contract.ts";

/**
 * The addon's functions, from its file: `configuredPath`, or where a build leaves it.
 * Errors: System, code `addon.missing`, naming every file that was tried.
 */
export function loadAddon(configuredPath: string | undefined): Addon {
  return loadFirst(candidates(configuredPath));
}

function candidates(configuredPath: string | undefined): string[] {
  const fromEnvironment = process.env.GANTRY_ADDON;
  if (fromEnvironment) return [fromEnvironment];
  if (configuredPath) return [configuredPath];
  return [
    join(dirname(process.execPath), "gantry.node"),
    join(import.meta.dirname, "../../build/addon/gantry.node"), // a source checkout
  ];
}

function loadFirst(paths: readonly string[]): Addon {
  const failures: string[] = [];
  for (const path of paths) {
    try {
      return isEmbedded(path) ? loadUnpacked(path) : load(path);
    } catch (error) {
      failures.push(`${path}: ${messageOf(error)}`);
    }
  }
  throw new PlatformError("System", `native addon cannot be loaded: ${failures.join("; ")}`, {
    code: "addon.missing",
    hint: "build it with `npm run build`, or name its file in GANTRY_ADDON",
  });
}

function load(path: string): Addon {
  const module = { exports: {} };
  process.dlopen(module, path);
  const exported: unknown = module.exports;
  if (!isAddon(exported)) throw new Error("is not gantry's addon, or one of another version");
  return exported;
}

const functions: readonly (keyof Addon)[] = [
  "syscall",
  "syscallAsync",
  "address",
  "spawn",
  "sendFds",
  "recvFds",
  "makeNetns",
  "makeNetnsAsync",
  "netlinkSocketIn",
];

function isAddon(value: unknown): value is Addon {
  return typeof value === "object" && value !== null && functions.every((name) => name in value);
}

const isEmbedded = (path: string): boolean => path.startsWith("/$bunfs/");

/**
 * The dynamic linker needs a real file, for as long as it takes to map it: one without a name, or where the file system has
 * none of those, one in a private directory. (A predictable name in a shared one would let others put their code there.)
 */
function loadUnpacked(path: string): Addon {
  const bytes = readFileSync(path);
  let failure: unknown;
  // A directory may be missing, read-only or mounted noexec.
  for (const parent of new Set(["/run", "/dev/shm", tmpdir(), "/tmp", "/var/tmp"])) {
    for (const loadIn of [loadUnnamed, loadInPrivateDirectory]) {
      try {
        return loadIn(parent, bytes);
      } catch (error) {
        failure = error;
      }
    }
  }
  throw failure;
}

/** Half of open(2)'s O_TMPFILE; the other half is O_DIRECTORY, which depends on the architecture. */
const UNNAMED = 0o20000000;

function loadUnnamed(parent: string, bytes: Uint8Array): Addon {
  const fd = openSync(parent, UNNAMED | constants.O_DIRECTORY | constants.O_RDWR, 0o500);
  try {
    writeSync(fd, bytes);
    return load(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function loadInPrivateDirectory(parent: string, bytes: Uint8Array): Addon {
  const directory = mkdtempSync(join(parent, "gantry-addon-"));
  try {
    const file = join(directory, "gantry.node");
    writeFileSync(file, bytes, { mode: 0o500 });
    return load(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
