import { multiplexedStreamType, rawStreamType } from "../reply.ts";

/** Frames are announced since API 1.42; before it, and for terminals, the type says raw. engine-api, section 3. */
export const outputStreamType = (tty: boolean, minor: number): string =>
  !tty && minor >= 42 ? multiplexedStreamType : rawStreamType;
