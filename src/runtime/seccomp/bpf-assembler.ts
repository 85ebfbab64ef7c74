import { invalidParameter } from "../../errors/platform-error.ts";

/** Classic BPF, linux/bpf_common.h: code, and both jumps relative to the next instruction. */
interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly operand: number;
}

/** A place in the program, counted from its end, so that it stays valid while the program grows at its front. */
export type Label = number;

export type Comparison = "equal" | "greater" | "greaterOrEqual";

const comparisonCodes: Record<Comparison, number> = { equal: 0x15, greater: 0x25, greaterOrEqual: 0x35 };
const loadAbsolute = 0x20;
const andConstant = 0x54;
const jumpAlways = 0x05;
const returnConstant = 0x06;

/** BPF_MAXINSNS. */
export const maximumInstructions = 4096;
/** A conditional jump has eight bits. */
const maximumJump = 255;

/**
 * Assembles a program from its end to its beginning: whatever is jumped to exists already, as jumps go forward only.
 * Each call puts its instructions in front and returns their label.
 */
export class BpfAssembler {
  private readonly reversed: Instruction[] = [];
  private readonly returns = new Map<number, Label>();

  get length(): number {
    return this.reversed.length;
  }

  /** `return value`; one that is near enough serves again. */
  ret(value: number): Label {
    const known = this.returns.get(value);
    if (known !== undefined && this.length - known < maximumJump / 2) return known;
    const label = this.push(returnConstant, value);
    this.returns.set(value, label);
    return label;
  }

  /** Loads the 32-bit word of struct seccomp_data at `offset`, then goes on at `next`. */
  load(offset: number, next: Label): Label {
    return this.before(next, loadAbsolute, offset);
  }

  /** Masks the loaded word, then goes on at `next`. */
  and(mask: number, next: Label): Label {
    return this.before(next, andConstant, mask);
  }

  /** Compares the loaded word (unsigned) and goes to one label or the other. */
  branch(comparison: Comparison, value: number, whenTrue: Label, whenFalse: Label): Label {
    let [near, otherNear] = [whenTrue, whenFalse];
    // A helper jump that the first of them needs moves the second one farther away: look until both are near.
    while (this.length - near > maximumJump || this.length - otherNear > maximumJump) {
      if (this.length - near > maximumJump) near = this.jump(near);
      if (this.length - otherNear > maximumJump) otherNear = this.jump(otherNear);
    }
    return this.push(comparisonCodes[comparison], value, this.length - near, this.length - otherNear);
  }

  /** struct sock_filter[], host byte order. Errors: InvalidParameter for a program beyond the kernel's limit. */
  assemble(): Uint8Array {
    if (this.length > maximumInstructions)
      throw invalidParameter(
        `the seccomp profile compiles to ${this.length} instructions, the kernel takes ${maximumInstructions}`,
      );
    const bytes = new Uint8Array(this.length * 8);
    const view = new DataView(bytes.buffer);
    for (const [index, { code, jumpTrue, jumpFalse, operand }] of this.reversed.entries()) {
      const at = (this.length - 1 - index) * 8;
      view.setUint16(at, code, littleEndian);
      view.setUint8(at + 2, jumpTrue);
      view.setUint8(at + 3, jumpFalse);
      view.setUint32(at + 4, operand, littleEndian);
    }
    return bytes;
  }

  /** These instructions fall through: where `next` is not at the front of the program, a jump leads to it. */
  private before(next: Label, code: number, operand: number): Label {
    if (next !== this.length) this.jump(next);
    return this.push(code, operand);
  }

  private jump(target: Label): Label {
    return this.push(jumpAlways, this.length - target);
  }

  private push(code: number, operand: number, jumpTrue = 0, jumpFalse = 0): Label {
    this.reversed.push({ code, jumpTrue, jumpFalse, operand });
    return this.length;
  }
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
