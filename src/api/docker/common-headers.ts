import { version } from "../../engine/system/version.ts";
import { maximumApiVersion } from "./api-version.ts";

/** On every reply. engine-api, section 2. */
export const commonHeaders = {
  "Api-Version": maximumApiVersion,
  "Docker-Experimental": "false",
  Ostype: "linux",
  Server: `gantry/${version} (linux)`,
} as const;
