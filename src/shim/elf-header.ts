/** What the kernel looks at before it executes an ELF file (elf(5)). */
export interface ElfHeader {
  /** EM_*: 62 is x86_64, 183 is aarch64. */
  readonly machine: number;
  /** The dynamic linker (PT_INTERP); undefined for a static program. */
  readonly interpreter: string | undefined;
}

const PT_INTERP = 3;

/** Reads the header and the program headers as far as they are in `bytes`; undefined for another format. Pure. */
export function parseElf(bytes: Uint8Array): ElfHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 52 || view.getUint32(0) !== 0x7f454c46) return undefined;
  const is64 = bytes[4] === 2;
  const little = bytes[5] === 1;
  if (is64 && bytes.length < 64) return undefined;
  return { machine: view.getUint16(18, little), interpreter: findInterpreter(bytes, view, is64, little) };
}

function findInterpreter(
  bytes: Uint8Array,
  view: DataView,
  is64: boolean,
  little: boolean,
): string | undefined {
  const word = (at: number) => (is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const table = word(is64 ? 32 : 28);
  const entryBytes = view.getUint16(is64 ? 54 : 42, little);
  const count = view.getUint16(is64 ? 56 : 44, little);
  const needed = is64 ? 56 : 32;
  for (let index = 0; index < count; index++) {
    const at = table + index * entryBytes;
    if (entryBytes < needed || at + needed > bytes.length) return undefined;
    if (view.getUint32(at, little) !== PT_INTERP) continue;
    const start = word(at + (is64 ? 8 : 4));
    const length = word(at + (is64 ? 32 : 16));
    if (start + length > bytes.length) return undefined;
    return Buffer.from(bytes.subarray(start, start + length))
      .toString("latin1")
      .replace(/\0.*$/s, "");
  }
  return undefined;
}
