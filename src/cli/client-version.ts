import manifest from "../../package.json" with { type: "json" };

/** The version of this program, from its one place. */
export const clientVersion: string = manifest.version;
