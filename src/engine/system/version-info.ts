import { arch, release } from "node:os";
import { version } from "./version.ts";

/** Go's names of processors, which Docker's API uses. */
export const goArchitecture = (): string => (arch() === "x64" ? "amd64" : arch());

/** The answer of `version`. engine-api.yaml, SystemVersion. */
export function versionInfo(api: { minimum: string; maximum: string }): object {
  const details = {
    ApiVersion: api.maximum,
    Arch: goArchitecture(),
    BuildTime: "",
    Experimental: "false",
    GitCommit: "",
    GoVersion: "",
    KernelVersion: release(),
    MinAPIVersion: api.minimum,
    Os: "linux",
  };
  return {
    Platform: { Name: "gantry" },
    Components: [{ Name: "Engine", Version: version, Details: { ...details, BunVersion: Bun.version } }],
    Version: version,
    ApiVersion: api.maximum,
    MinAPIVersion: api.minimum,
    GitCommit: "",
    GoVersion: "",
    Os: "linux",
    Arch: details.Arch,
    KernelVersion: details.KernelVersion,
    BuildTime: "",
  };
}
