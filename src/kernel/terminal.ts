import { addon } from "./addon.ts";
import { call, nr } from "./syscall.ts";

/** ioctl_tty(2). */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;

/** struct termios of the kernel: four flag words, the line discipline, 19 control characters. */
const TERMIOS_BYTES = 36;
const LOCAL_FLAGS = 12;
const CONTROL_CHARACTERS = 17;
const VTIME = 5;
const VMIN = 6;

/** Bits of termios(3) that raw mode clears. */
const IGNBRK_BRKINT_PARMRK_ISTRIP = 0o1 | 0o2 | 0o10 | 0o40;
const INLCR_IGNCR_ICRNL_IXON = 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
const CSIZE_PARENB = 0o60 | 0o400;
const CS8 = 0o60;
const ISIG_ICANON_ECHO_ECHONL_IEXTEN = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000;
const ECHO = 0o10;

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** Cheaper than `isTTY` of the streams, whose first touch costs milliseconds. */
export function isTerminal(fd: number): boolean {
  return addon.syscall(nr.ioctl, fd, TCGETS, new Uint8Array(TERMIOS_BYTES)) === 0;
}

/** The kernel's struct termios, to be given back to setTerminalAttributes. */
export function terminalAttributes(fd: number): Uint8Array {
  const attributes = new Uint8Array(TERMIOS_BYTES);
  call("ioctl", "read terminal attributes", fd, TCGETS, attributes);
  return attributes;
}

export function setTerminalAttributes(fd: number, attributes: Uint8Array): void {
  call("ioctl", "set terminal attributes", fd, TCSETS, attributes);
}

/** Raw mode as cfmakeraw(3) makes it; the returned function restores what was before. */
export function setRawMode(fd: number): () => void {
  const before = terminalAttributes(fd);
  setTerminalAttributes(fd, rawAttributes(before));
  return () => setTerminalAttributes(fd, before);
}

/** Lines are edited as before, but what is typed is not shown; the returned function restores what was before. */
export function hideTyping(fd: number): () => void {
  const before = terminalAttributes(fd);
  const hidden = before.slice();
  clearFlags(hidden, LOCAL_FLAGS, ECHO);
  setTerminalAttributes(fd, hidden);
  return () => setTerminalAttributes(fd, before);
}

/** Pure: the same attributes with raw mode. */
export function rawAttributes(attributes: Uint8Array): Uint8Array {
  const raw = attributes.slice();
  const view = new DataView(raw.buffer);
  const clear = (offset: number, bits: number) => clearFlags(raw, offset, bits);
  clear(0, IGNBRK_BRKINT_PARMRK_ISTRIP | INLCR_IGNCR_ICRNL_IXON);
  clear(4, OPOST);
  clear(8, CSIZE_PARENB);
  view.setUint32(8, view.getUint32(8, true) | CS8, true);
  clear(LOCAL_FLAGS, ISIG_ICANON_ECHO_ECHONL_IEXTEN);
  raw[CONTROL_CHARACTERS + VMIN] = 1;
  raw[CONTROL_CHARACTERS + VTIME] = 0;
  return raw;
}

function clearFlags(attributes: Uint8Array, offset: number, bits: number): void {
  const view = new DataView(attributes.buffer, attributes.byteOffset);
  view.setUint32(offset, view.getUint32(offset, true) & ~bits, true);
}

/** Undefined when `fd` is no terminal. */
export function windowSize(fd: number): WindowSize | undefined {
  const size = new Uint16Array(4);
  if (addon.syscall(nr.ioctl, fd, TIOCGWINSZ, new Uint8Array(size.buffer)) < 0) return undefined;
  return { rows: size[0] ?? 0, columns: size[1] ?? 0 };
}

export function setWindowSize(fd: number, size: WindowSize): void {
  const structure = new Uint16Array([size.rows, size.columns, 0, 0]);
  call("ioctl", "set window size", fd, TIOCSWINSZ, new Uint8Array(structure.buffer));
}
