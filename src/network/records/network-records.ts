import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemError } from "../../errors/platform-error.ts";
import type { NetworkInfo } from "../contract.ts";

/** The networks that every engine has, by the name of their file below `--root`/networks. */
const builtIn = [
  { name: "bridge", driver: "bridge" },
  { name: "host", driver: "host" },
  { name: "none", driver: "null" },
] as const;

/**
 * The networks as JSON sidecars, one file each: `bridge.json`, `host.json`, `none.json` in NetworkInfo's form.
 * They are made at the first use, and keep ids and the bridge's choices over restarts.
 */
export class NetworkRecords {
  private readonly records = new Map<string, NetworkInfo>();

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    for (const { name, driver } of builtIn) this.records.set(name, this.loadOrMake(name, driver));
  }

  list(): NetworkInfo[] {
    return [...this.records.values()];
  }

  get(name: "bridge" | "host" | "none"): NetworkInfo {
    const record = this.records.get(name);
    if (!record) throw systemError(`network ${name} has no record`);
    return record;
  }

  save(record: NetworkInfo): void {
    writeDurably(this.pathOf(record.name), `${JSON.stringify(record, undefined, 2)}\n`);
    this.records.set(record.name, record);
  }

  private loadOrMake(name: string, driver: NetworkInfo["driver"]): NetworkInfo {
    const existing = readRecord(this.pathOf(name));
    if (existing?.name === name) return existing;
    const record = { id: randomBytes(32).toString("hex"), name, driver, createdAt: new Date().toISOString() };
    this.save(record);
    return record;
  }

  private pathOf(name: string): string {
    return join(this.directory, `${name}.json`);
  }
}

/** Undefined for a missing or unreadable file: what it says can be found again or chosen anew. */
export function readRecord(path: string): NetworkInfo | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isNetworkInfo(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isNetworkInfo(value: unknown): value is NetworkInfo {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, driver, createdAt, subnet, gateway, bridgeName } = value as Record<string, unknown>;
  const required = [id, name, driver, createdAt];
  const optional = [subnet, gateway, bridgeName];
  return (
    required.every((field) => typeof field === "string") &&
    optional.every((field) => field === undefined || typeof field === "string")
  );
}

/** Written aside, synced, renamed: a reader sees the old content or the new. */
function writeDurably(path: string, content: string): void {
  const aside = `${path}.new`;
  const file = openSync(aside, "w", 0o644);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}
