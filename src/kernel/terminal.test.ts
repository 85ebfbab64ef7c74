import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { addon } from "./addon.ts";
import { nr } from "./syscall.ts";
import {
  hideTyping,
  isTerminal,
  setRawMode,
  setWindowSize,
  terminalAttributes,
  windowSize,
} from "./terminal.ts";

const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const O_RDWR_NOCTTY = 0o402;

function openTerminal(): { master: number; slave: number } {
  const master = openSync("/dev/ptmx", O_RDWR_NOCTTY);
  addon.syscall(nr.ioctl, master, TIOCSPTLCK, new Uint8Array(4));
  return { master, slave: addon.syscall(nr.ioctl, master, TIOCGPTPEER, O_RDWR_NOCTTY) };
}

test("a terminal has a size that can be set", () => {
  const { master, slave } = openTerminal();
  setWindowSize(master, { rows: 40, columns: 132 });
  expect(windowSize(slave)).toEqual({ rows: 40, columns: 132 });
  closeSync(slave);
  closeSync(master);
});

test("raw mode passes bytes as they are, and is undone", () => {
  const { master, slave } = openTerminal();
  const before = terminalAttributes(slave);
  const restore = setRawMode(slave);
  addon.syscall(nr.write, slave, "a\n", 2);
  const buffer = new Uint8Array(8);
  const length = addon.syscall(nr.read, master, buffer, buffer.length);
  restore();
  expect([...buffer.subarray(0, length)]).toEqual([0x61, 0x0a]); // cooked: \r\n
  expect(terminalAttributes(slave)).toEqual(before);
  closeSync(slave);
  closeSync(master);
});

test("hidden typing is read and not shown", () => {
  const { master, slave } = openTerminal();
  const before = terminalAttributes(slave);
  const restore = hideTyping(slave);
  addon.syscall(nr.write, master, "secrex\x7ft\n", 9);
  addon.syscall(nr.write, slave, "shown", 5);
  const buffer = new Uint8Array(64);
  const typed = addon.syscall(nr.read, slave, buffer, buffer.length);
  expect(Buffer.from(buffer.subarray(0, typed)).toString()).toBe("secret\n");
  const shown = addon.syscall(nr.read, master, buffer, buffer.length);
  expect(Buffer.from(buffer.subarray(0, shown)).toString()).toBe("shown");
  restore();
  expect(terminalAttributes(slave)).toEqual(before);
  closeSync(slave);
  closeSync(master);
});

test("a file is no terminal", () => {
  const fd = openSync("/dev/null", "r");
  expect([isTerminal(fd), windowSize(fd)]).toEqual([false, undefined]);
  closeSync(fd);
});
