/** A file of any type as an EROFS image has it; times of change only. */
export interface ErofsNode {
  /** With type bits, as in stat(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Of a device, as makedev(3) encodes it; else 0. */
  readonly device: number;
  /** Names of the file; of a directory: 2 and one for each directory in it. */
  links: number;
  /** Of a regular file. */
  readonly sizeBytes: number;
  readonly xattrs: readonly (readonly [name: string, value: Uint8Array])[];
  /** Of a symlink its target. */
  readonly content: Uint8Array | undefined;
  /** Of a regular file: where its content is. */
  readonly firstBlock: number;
  /** Of a directory, without `.` and `..`. */
  readonly entries: readonly { readonly name: Uint8Array; readonly node: ErofsNode }[];
}
