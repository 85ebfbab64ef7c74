import { invalidParameter } from "../../errors/platform-error.ts";

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
  /** Classic BPF, linux/bpf_common.h: the code with both jumps, relative to the next instruction, in the order of the host; and the operand. */
  private readonly heads: number[] = [];
  private readonly operands: number[] = [];
  private readonly returns = new Map<number, Label>();
  private length = 0;

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
    let near = whenTrue;
    let otherNear = whenFalse;
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
    const words = new Uint32Array(this.length * 2);
    for (let from = 0, at = words.length; from < this.length; from++) {
      words[--at] = this.operands[from] ?? 0;
      words[--at] = this.heads[from] ?? 0;
    }
    return new Uint8Array(words.buffer);
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
    this.heads.push(
      isLittleEndian
        ? code | (jumpTrue << 16) | (jumpFalse << 24)
        : (code << 16) | (jumpTrue << 8) | jumpFalse,
    );
    this.operands.push(operand);
    return ++this.length;
  }
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
