import { closeSync, constants, openSync } from "node:fs";
import { systemError } from "../errors/platform-error.ts";
import { addon } from "./addon.ts";
import { fileError } from "./cgroup-files.ts";
import { errnoName, errnoText } from "./errno.ts";
import { check, nr } from "./syscall.ts";

/** linux/bpf.h. */
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** A program of systemd or of a container inside does not replace ours; all have to agree. */
const BPF_F_ALLOW_MULTI = 2;

/** union bpf_attr of the commands here; the kernel takes any length that its own fields fit. */
const attributeBytes = 128;
const logBytes = 64 * 1024;

/**
 * Loads a device program and attaches it to a v2 cgroup; it goes with the cgroup.
 *
 * Errors: System naming the cgroup and errno, with the verifier's log where the kernel refuses the program.
 */
export function attachDeviceFilter(cgroup: string, program: Uint8Array): void {
  const programFd = loadDeviceFilter(program);
  try {
    attach(cgroup, programFd);
  } finally {
    closeSync(programFd);
  }
}

/** BPF_PROG_LOAD of struct bpf_insn[]; the descriptor is the caller's to close. Errors as above. */
export function loadDeviceFilter(program: Uint8Array): number {
  const result = load(program, undefined);
  if (result >= 0) return result;
  // Only now the log, as writing it costs more than checking the program.
  const log = new Uint8Array(logBytes);
  const again = load(program, log);
  if (again >= 0) return again;
  const end = log.indexOf(0);
  const text = new TextDecoder().decode(log.subarray(0, end === -1 ? log.length : end)).trim();
  throw systemError(
    `load the device filter: ${errnoText(-again)}${text === "" ? "" : `; the verifier says: ${text}`}`,
    { code: `errno.${errnoName(-again)}` },
  );
}

function load(program: Uint8Array, log: Uint8Array | undefined): number {
  const license = new TextEncoder().encode("Apache-2.0\0");
  const attributes = new Uint8Array(attributeBytes);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, BPF_PROG_TYPE_CGROUP_DEVICE, true);
  view.setUint32(4, program.length / 8, true);
  view.setBigUint64(8, addon.address(program), true);
  view.setBigUint64(16, addon.address(license), true);
  if (log !== undefined) {
    view.setUint32(24, 1, true); // log_level
    view.setUint32(28, log.length, true);
    view.setBigUint64(32, addon.address(log), true);
  }
  attributes.set(new TextEncoder().encode("gantry_devices"), 48); // prog_name
  view.setUint32(68, BPF_CGROUP_DEVICE, true); // expected_attach_type
  return addon.syscall(nr.bpf, BPF_PROG_LOAD, attributes, attributes.length);
}

function attach(cgroup: string, programFd: number): void {
  let directoryFd: number;
  try {
    directoryFd = openSync(cgroup, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(error, `open cgroup ${cgroup}`);
  }
  try {
    const attributes = new Uint8Array(attributeBytes);
    const view = new DataView(attributes.buffer);
    view.setUint32(0, directoryFd, true);
    view.setUint32(4, programFd, true);
    view.setUint32(8, BPF_CGROUP_DEVICE, true);
    view.setUint32(12, BPF_F_ALLOW_MULTI, true);
    check(
      addon.syscall(nr.bpf, BPF_PROG_ATTACH, attributes, attributes.length),
      `attach the device filter to ${cgroup}`,
    );
  } finally {
    closeSync(directoryFd);
  }
}
