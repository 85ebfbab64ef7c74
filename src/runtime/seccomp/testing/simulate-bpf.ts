/** What a filter is asked about: struct seccomp_data. */
export interface SyscallData {
  readonly number: number;
  readonly audit: number;
  /** Up to six. */
  readonly args?: readonly bigint[];
}

/**
 * Runs a classic BPF program as the kernel does, for tests: struct sock_filter[], little endian.
 * Errors: Error for an instruction which the kernel's checker would refuse, or a jump out of the program.
 */
export function simulateBpf(program: Uint8Array, { number, audit, args = [] }: SyscallData): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  for (const [index, value] of args.entries()) data.setBigUint64(16 + index * 8, value, true);
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const length = program.byteLength / 8;
  let accumulator = 0;
  for (let at = 0; at < length; at++) {
    const operand = code.getUint32(at * 8 + 4, true);
    const jump = (condition: boolean) => {
      at += code.getUint8(at * 8 + (condition ? 2 : 3));
    };
    switch (code.getUint16(at * 8, true)) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        if (operand % 4 !== 0 || operand >= 64) throw new Error(`load at ${operand}`);
        accumulator = data.getUint32(operand, true);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05: // BPF_JMP | BPF_JA
        at += operand;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        jump(accumulator === operand);
        break;
      case 0x25: // BPF_JMP | BPF_JGT | BPF_K
        jump(accumulator > operand);
        break;
      case 0x35: // BPF_JMP | BPF_JGE | BPF_K
        jump(accumulator >= operand);
        break;
      case 0x06: // BPF_RET | BPF_K
        return operand;
      default:
        throw new Error(`instruction ${at}: unknown code`);
    }
  }
  throw new Error("the program ends without a verdict");
}
