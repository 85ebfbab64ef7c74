/** The numbers of docs/helper-protocol.md, as in helper/protocol.h. */
export const messageType = {
  subscribe: 1,
  start: 2,
  attach: 3,
  signal: 4,
  resize: 5,
  exec: 6,
  closeStdin: 7,
  created: 100,
  started: 101,
  exited: 102,
  failed: 103,
  ok: 200,
  error: 201,
} as const;

export const stdioFlag = { tty: 1, openStdin: 2, stdinOnce: 4 } as const;
export const launchFlag = { ...stdioFlag, daemon: 8, foreground: 16 } as const;
export const streamBit = { stdin: 1, stdout: 2, stderr: 4 } as const;

/** A failure that belongs to no step: the helper itself could not go on. */
export const NO_STEP = 0xffffffff;

/** What a failing step reports; `detail` names the object, or what the kernel said. */
export interface Failure {
  readonly stepIndex: number;
  readonly errno: number;
  readonly detail: string;
}
