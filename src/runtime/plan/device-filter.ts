import { accessBits, type DeviceAccess, type DeviceException } from "./device-rules.ts";

/**
 * Emits a program of BPF_PROG_TYPE_CGROUP_DEVICE: struct bpf_insn[], little endian, which returns 1 to allow.
 *
 * It sees struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }, where access_type is `access << 16 | type`.
 * Each exception is a short sequence that ends the program when it matches; the default stands at the end.
 * - default deny:  an exception allows when it grants everything that is asked for at once;
 * - default allow: an exception denies when it takes away anything of it.
 */
export function emitDeviceFilter({ defaultAllow, exceptions }: DeviceAccess): Uint8Array {
  const program: Instruction[] = [
    load32(2, 0), // r2 = access_type
    move32(3, 2),
    rightShift32(3, 16), // r3 = access
    and32(2, 0xffff), // r2 = type
    load32(4, 4), // r4 = major
    load32(5, 8), // r5 = minor
  ];
  for (const exception of exceptions) program.push(...emitException(exception, defaultAllow));
  program.push(moveValue64(0, defaultAllow ? 1 : 0), exit);
  return encode(program);
}

const deviceTypes = { b: 1, c: 2 } as const; // BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR
const allAccess = accessBits.m | accessBits.r | accessBits.w;

function emitException(
  { type, major, minor, access }: DeviceException,
  defaultAllow: boolean,
): Instruction[] {
  const checks: ((skip: number) => Instruction[])[] = [
    (skip) => [jumpUnlessValue(2, deviceTypes[type], skip)],
  ];
  if (access !== allAccess)
    checks.push((skip) => [
      move32(1, 3),
      and32(1, access),
      defaultAllow ? jumpIfValue(1, 0, skip) : jumpUnlessRegister(1, 3, skip),
    ]);
  if (major !== undefined) checks.push((skip) => [jumpUnlessValue(4, major, skip)]);
  if (minor !== undefined) checks.push((skip) => [jumpUnlessValue(5, minor, skip)]);
  let code = [moveValue64(0, defaultAllow ? 0 : 1), exit];
  // From the last check to the first, each knows how much lies behind it.
  for (const check of checks.reverse()) code = [...check(code.length), ...code];
  return code;
}

/** struct bpf_insn: u8 code, u4 dst, u4 src, s16 off, s32 imm. Instruction set: kernel, Documentation/bpf/standardization. */
interface Instruction {
  readonly code: number;
  readonly dst: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
}

const load32 = (dst: number, off: number): Instruction => ({ code: 0x61, dst, src: 1, off }); // BPF_LDX|BPF_MEM|BPF_W from r1
const move32 = (dst: number, src: number): Instruction => ({ code: 0xbc, dst, src }); // BPF_ALU|BPF_MOV|BPF_X
const and32 = (dst: number, imm: number): Instruction => ({ code: 0x54, dst, imm }); // BPF_ALU|BPF_AND|BPF_K
const rightShift32 = (dst: number, imm: number): Instruction => ({ code: 0x74, dst, imm }); // BPF_ALU|BPF_RSH|BPF_K
const moveValue64 = (dst: number, imm: number): Instruction => ({ code: 0xb7, dst, imm }); // BPF_ALU64|BPF_MOV|BPF_K
const jumpUnlessValue = (dst: number, imm: number, off: number): Instruction => ({
  code: 0x55,
  dst,
  imm,
  off,
}); // BPF_JMP|BPF_JNE|BPF_K
const jumpIfValue = (dst: number, imm: number, off: number): Instruction => ({ code: 0x15, dst, imm, off }); // BPF_JMP|BPF_JEQ|BPF_K
const jumpUnlessRegister = (dst: number, src: number, off: number): Instruction => ({
  code: 0x5d,
  dst,
  src,
  off,
}); // BPF_JMP|BPF_JNE|BPF_X
const exit: Instruction = { code: 0x95, dst: 0 }; // BPF_JMP|BPF_EXIT

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, dst, src = 0, off = 0, imm = 0 }] of program.entries()) {
    const at = index * 8;
    view.setUint8(at, code);
    view.setUint8(at + 1, dst | (src << 4));
    view.setInt16(at + 2, off, true);
    view.setInt32(at + 4, imm, true);
  }
  return bytes;
}
