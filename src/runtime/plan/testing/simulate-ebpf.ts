/** A process's try to use a device node. */
export interface DeviceUse {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  /** Bits: mknod 1, read 2, write 4. */
  readonly access: number;
}

/**
 * Runs a program of struct bpf_insn[] over struct bpf_cgroup_dev_ctx, for tests; returns r0.
 * Knows only the instructions which a device filter has. Errors: Error for any other.
 */
export function simulateDeviceFilter(program: Uint8Array, { type, major, minor, access }: DeviceUse): bigint {
  const context = [((access << 16) | (type === "b" ? 1 : 2)) >>> 0, major, minor];
  const registers = new BigUint64Array(11);
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  for (let at = 0; at < program.byteLength / 8; at++) {
    const opcode = code.getUint8(at * 8);
    const dst = code.getUint8(at * 8 + 1) & 0xf;
    const src = code.getUint8(at * 8 + 1) >> 4;
    const off = code.getInt16(at * 8 + 2, true);
    const imm = code.getInt32(at * 8 + 4, true);
    const left = registers[dst] ?? 0n;
    const right = registers[src] ?? 0n;
    const immediate = BigInt.asUintN(64, BigInt(imm));
    switch (opcode) {
      case 0x61: // ldxw
        registers[dst] = BigInt(context[off / 4] ?? 0);
        break;
      case 0xbc: // mov32 register
        registers[dst] = right & 0xffffffffn;
        break;
      case 0x54: // and32
        registers[dst] = left & immediate & 0xffffffffn;
        break;
      case 0x74: // rsh32
        registers[dst] = (left & 0xffffffffn) >> immediate;
        break;
      case 0xb7: // mov64
        registers[dst] = immediate;
        break;
      case 0x55: // jne
        if (left !== immediate) at += off;
        break;
      case 0x15: // jeq
        if (left === immediate) at += off;
        break;
      case 0x5d: // jne register
        if (left !== right) at += off;
        break;
      case 0x95: // exit
        return registers[0] ?? 0n;
      default:
        throw new Error(`unknown instruction 0x${opcode.toString(16)}`);
    }
  }
  throw new Error("the program ends without an exit");
}
