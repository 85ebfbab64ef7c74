import { join } from "node:path";
import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { LaunchRequest } from "../../shim/contract.ts";
import type { HostConfig } from "../spec/docker-config.ts";
import type { ContainerRecord } from "./container-record.ts";

const units: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const options = ["max-size", "max-file"];

/** How a container's output is kept. */
export interface LogSettings {
  readonly driver: "json-file" | "none";
  /** 0: never rotated. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Errors: NotImplemented for another driver or option, InvalidParameter for a broken value. */
export function parseLogConfig(hostConfig: HostConfig): LogSettings {
  const driver = hostConfig.LogConfig?.Type || "json-file";
  const config = hostConfig.LogConfig?.Config ?? {};
  if (driver !== "json-file" && driver !== "none") {
    throw notImplemented(`log driver ${JSON.stringify(driver)} is not built into gantry`, {
      hint: "use json-file or none",
    });
  }
  for (const key of Object.keys(config)) {
    if (!options.includes(key))
      throw notImplemented(`log option ${JSON.stringify(key)} is not built into gantry`);
  }
  const maxBytes = config["max-size"] === undefined ? 0 : parseSize(config["max-size"]);
  return { driver, maxBytes, maxFiles: parseMaxFile(config["max-file"], maxBytes) };
}

function parseSize(text: string): number {
  const parts = /^(\d{1,12})\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Number(parts?.[1] ?? Number.NaN) * (units[parts?.[2]?.toLowerCase() ?? ""] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  if (text === "-1") return 0;
  throw invalidParameter(`invalid value for max-size: ${JSON.stringify(text)}`);
}

function parseMaxFile(text: string | undefined, maxBytes: number): number {
  if (text === undefined) return 1;
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw invalidParameter(`invalid value for max-file: ${JSON.stringify(text)}`);
  if (Number(text) > 1 && maxBytes === 0)
    throw invalidParameter("max-file needs max-size: without it nothing rotates");
  return Number(text);
}

/** Docker's name for the file; undefined when no log is kept. */
export function logPath(directory: string, record: ContainerRecord): string | undefined {
  return parseLogConfig(record.hostConfig).driver === "none"
    ? undefined
    : join(directory, `${record.id}-json.log`);
}

/** The shim's part of it. */
export function shimLog(directory: string, record: ContainerRecord): LaunchRequest["log"] {
  const path = logPath(directory, record);
  const { maxBytes, maxFiles } = parseLogConfig(record.hostConfig);
  return path === undefined ? undefined : { path, maxBytes, maxFiles };
}
