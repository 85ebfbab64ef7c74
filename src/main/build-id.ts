/** Put in by scripts/build: a hash of everything that dist/gantry is made of. */
declare const GANTRY_BUILD_ID: string | undefined;

/** Names this build: a front and an engine of the same one understand each other. */
export const buildId: string = typeof GANTRY_BUILD_ID === "string" ? GANTRY_BUILD_ID : "source";
