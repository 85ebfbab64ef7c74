import { invalidParameter } from "../../errors/platform-error.ts";

/** A version of the Engine API. All served ones have major number 1: `minor` alone orders them. */
export const minimumMinor = 24;
export const maximumMinor = 51;
export const minimumApiVersion = `1.${minimumMinor}`;
export const maximumApiVersion = `1.${maximumMinor}`;

export interface VersionedPath {
  /** The minor number: 41 for `/v1.41/info`; without prefix the maximum. */
  readonly minor: number;
  /** Without the prefix: `/info`. */
  readonly path: string;
}

/** Takes the version prefix off; InvalidParameter with Docker's wording for a version that is not served. */
export function parseVersionedPath(path: string): VersionedPath {
  const parts = /^\/v(\d+)\.(\d+)(\/.*)$/.exec(path);
  if (!parts) return { minor: maximumMinor, path };
  const major = Number(parts[1]);
  const minor = Number(parts[2]);
  const asked = `${major}.${minor}`;
  if (major < 1 || (major === 1 && minor < minimumMinor)) {
    throw invalidParameter(
      `client version ${asked} is too old. Minimum supported API version is ${minimumApiVersion}, please upgrade your client to a newer version`,
    );
  }
  if (major > 1 || minor > maximumMinor) {
    throw invalidParameter(
      `client version ${asked} is too new. Maximum supported API version is ${maximumApiVersion}`,
    );
  }
  return { minor, path: parts[3] ?? "/" };
}
