/**
 * Makes the snapshot: the OCI runtime's commands in the memory of a small interpreter (QuickJS as WebAssembly), loaded and
 * ready to be called, so that the front needs no start of Bun for them (docs/snapshot.md, decision 26).
 *
 *   bun scripts/make-snapshot.ts HELPER OUT-DIRECTORY
 *
 * Writes `memory.bin` (the pages that are not zero) and `snapshot.h` (where they belong, and what the front has to know).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import load from "@jitl/quickjs-ng-wasmfile-release-sync/emscripten-module";

const PAGE = 4096;
/** Runs of zero pages that are shorter are kept: each piece is a mapping of its own. */
const GAP_PAGES = 16;
/** As long as a command allocates less than half of this, the interpreter does not look for cycles. */
const BALLAST_BYTES = 32 << 20;

/** Numbered in this order; front/snapshot/host.c has the numbers from `snapshot.h`, and one function for each name. */
const hostFunctions = [
  "syscall",
  "address",
  "spawn",
  "sendFds",
  "recvFds",
  "argumentCount",
  "argument",
  "environment",
  "encode",
  "encodeInto",
  "decode",
  "monotonic",
  "deleteNatively",
] as const;

/** Files of ours in whose place the environment has another of the same name. */
const replaced = ["kernel/load-addon.ts", "kernel/watch-signals.ts", "cli/runtime/commands.ts"];

type Pointer = number;

/** The functions of the interpreter's WebAssembly module that are used here. */
interface Module {
  _malloc(bytes: number): Pointer;
  _free(at: Pointer): void;
  _QTS_NewRuntime(): Pointer;
  _QTS_NewContext(runtime: Pointer, intrinsics: number): Pointer;
  _QTS_GetGlobalObject(context: Pointer): Pointer;
  _QTS_NewObject(context: Pointer): Pointer;
  _QTS_NewString(context: Pointer, text: Pointer): Pointer;
  _QTS_NewArrayBuffer(context: Pointer, bytes: Pointer, length: number): Pointer;
  _QTS_NewFunction(
    context: Pointer,
    name: Pointer,
    length: number,
    isConstructor: number,
    id: number,
  ): Pointer;
  _QTS_GetProp(context: Pointer, object: Pointer, key: Pointer): Pointer;
  _QTS_SetProp(context: Pointer, object: Pointer, key: Pointer, value: Pointer): void;
  _QTS_Eval(
    context: Pointer,
    code: Pointer,
    length: number,
    file: Pointer,
    module: number,
    flags: number,
  ): Pointer;
  _QTS_ResolveException(context: Pointer, value: Pointer): Pointer;
  _QTS_Dump(context: Pointer, value: Pointer): Pointer;
}

const [helperFile = "", outDirectory = ""] = process.argv.slice(2);
const source = resolve(import.meta.dirname, "../src");
const code = await bundle(join(source, "snapshot/main.ts"));
const memory = new WebAssembly.Memory({ initial: 256, maximum: 32768 });
let exported: Record<string, unknown> = {};
// The package declares what its other parts use, under other names.
const quickjs = (await load({ wasmMemory: memory, instantiateWasm } as object)) as unknown as Module;
const runtime = quickjs._QTS_NewRuntime();
const context = quickjs._QTS_NewContext(runtime, 0);
const globalObject = quickjs._QTS_GetGlobalObject(context);

const native = quickjs._QTS_NewObject(context);
for (const [id, name] of hostFunctions.entries())
  set(native, name, quickjs._QTS_NewFunction(context, text(name), 0, 0, id));
set(globalObject, "gantryHost", native);

const helper = readFileSync(helperFile);
set(globalObject, "helperBuffer", arrayBuffer(helper));
evaluate("globalThis.gantryHelper = new Uint8Array(helperBuffer)");
evaluate(code);
const samples = takeSamples();
evaluate(`{ const ballast = new ArrayBuffer(${BALLAST_BYTES}); for (let i = 0; i < 10; i++) ({ i }); }`);
const main = quickjs._QTS_GetProp(context, globalObject, string("gantryMain"));
writeSnapshot();

/** Where an import of ours leads instead; help is the full program's. */
function substitute(file: string): { path: string; external?: boolean } | undefined {
  const inSource = relative(source, file);
  if (replaced.includes(inSource)) return { path: join(source, "snapshot/environment", basename(file)) };
  return inSource === "cli/runtime/help.ts" ? { path: file, external: true } : undefined;
}

/** As the package's loader would do it, but the module's exports are kept. */
function instantiateWasm(
  imports: Bun.WebAssembly.Imports,
  done: (instance: WebAssembly.Instance) => void,
): void {
  const file = readFileSync(Bun.resolveSync("@jitl/quickjs-ng-wasmfile-release-sync/wasm", import.meta.dir));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(file), imports);
  exported = instance.exports;
  done(instance);
}

/** Which of the module's exports, of one or two letters each, is which function: `QTS_Call`, and its name in C. */
function exportNames(): [name: string, inC: string][] {
  const mangle = (name: string) =>
    name.replace(/[^A-Ya-z0-9_]/g, (letter) => `Z${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  return Object.entries(quickjs).flatMap(([name, value]) => {
    const [letters] = Object.entries(exported).find(([, candidate]) => candidate === value) ?? [];
    return name.startsWith("_") && letters !== undefined
      ? [[name.slice(1), `Z_quickjsZ_${mangle(letters)}`]]
      : [];
  });
}

/** One script, for an environment that has nothing but the language. */
async function bundle(entry: string): Promise<string> {
  const environment = join(source, "snapshot/environment");
  const { outputs, success, logs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    format: "iife",
    minify: true,
    define: { "process.arch": JSON.stringify(process.arch) },
    plugins: [
      {
        name: "environment",
        setup(build) {
          build.onResolve({ filter: /^node:(fs|os|path|path\/posix)$/ }, ({ path, importer }) =>
            // What stands in a module's place may use Bun's own for browsers.
            importer.startsWith(environment)
              ? undefined
              : { path: join(environment, `${path.split(/[:/]/)[1]}.ts`) },
          );
          build.onResolve({ filter: /^\./ }, ({ path, importer }) =>
            substitute(resolve(dirname(importer), path)),
          );
        },
      },
    ],
  });
  const [output] = outputs;
  if (!success || output === undefined) throw new AggregateError(logs, "the bundle of the snapshot failed");
  return output.text();
}

function bytes(content: Uint8Array): Pointer {
  const at = quickjs._malloc(content.length + 1);
  const view = new Uint8Array(memory.buffer, at, content.length + 1);
  view.set(content);
  view[content.length] = 0;
  return at;
}

function text(content: string): Pointer {
  return bytes(Buffer.from(content));
}

function string(content: string): Pointer {
  return quickjs._QTS_NewString(context, text(content));
}

function arrayBuffer(content: Uint8Array): Pointer {
  return quickjs._QTS_NewArrayBuffer(context, bytes(content), content.length);
}

function set(object: Pointer, name: string, value: Pointer): void {
  quickjs._QTS_SetProp(context, object, string(name), value);
}

function evaluate(script: string): Pointer {
  const content = Buffer.from(script);
  const copy = bytes(content);
  const result = quickjs._QTS_Eval(context, copy, content.length, text("gantry-runtime.js"), 0, 0);
  release(copy, content.length);
  const exception = quickjs._QTS_ResolveException(context, result);
  if (exception === 0) return result;
  throw new Error(`the snapshot's program failed: ${readText(quickjs._QTS_Dump(context, exception))}`);
}

/** Zero, so that it takes no room in the snapshot. */
function release(at: Pointer, length: number): void {
  new Uint8Array(memory.buffer, at, length).fill(0);
  quickjs._free(at);
}

function readText(at: Pointer): string {
  const all = new Uint8Array(memory.buffer);
  return Buffer.from(all.subarray(at, all.indexOf(0, at))).toString();
}

/** A JSValue is 64 bits: a tag in the upper half, for all but floating-point numbers. */
function tagOf(value: Pointer): number {
  return new DataView(memory.buffer).getInt32(value + 4, true);
}

/**
 * How values look in this build of the interpreter, found in samples: the front reads numbers and bytes in place, where the
 * interpreter's own functions would copy them.
 */
function takeSamples() {
  const tags = {
    INT: tagOf(evaluate("1")),
    BOOL: tagOf(evaluate("true")),
    NULL: tagOf(evaluate("null")),
    UNDEFINED: tagOf(evaluate("undefined")),
    OBJECT: tagOf(evaluate("({})")),
    STRING: tagOf(evaluate("'x'")),
    BIG_INT: tagOf(evaluate("123456789012345678901n")),
    SHORT_BIG_INT: tagOf(evaluate("1n")),
  };
  return { tags, ...arrayLayout() };
}

/** Offsets within the object of a Uint8Array: of its class, of where its bytes are, and of their number. */
function arrayLayout() {
  const content = bytes(new Uint8Array(100));
  set(globalObject, "sample", quickjs._QTS_NewArrayBuffer(context, content, 100));
  const object = (script: string): Pointer => new DataView(memory.buffer).getUint32(evaluate(script), true);
  const found = [
    { at: object("new Uint8Array(sample, 16, 77)"), address: content + 16, length: 77 },
    { at: object("Buffer.from(sample, 8, 51)"), address: content + 8, length: 51 },
    { at: object("new Uint8Array(sample).subarray(3, 44)"), address: content + 3, length: 41 },
  ];
  const word = (at: Pointer) => new DataView(memory.buffer).getUint32(at, true);
  const offsetOf = (wanted: (sample: (typeof found)[number]) => number): number => {
    const offset = Array.from({ length: 24 }, (_, index) => index * 4).find((candidate) =>
      found.every((sample) => word(sample.at + candidate) === wanted(sample)),
    );
    if (offset === undefined) throw new Error("a Uint8Array does not look as expected");
    return offset;
  };
  const others = ["({})", "[1]", "new Int32Array(4)", "new ArrayBuffer(8)", "new DataView(sample)"].map(
    object,
  );
  const classOf = (at: Pointer, offset: number) => new DataView(memory.buffer).getUint16(at + offset, true);
  const classOffset = Array.from({ length: 8 }, (_, index) => index * 2).find((offset) => {
    const classes = found.map(({ at }) => classOf(at, offset));
    return new Set(classes).size === 1 && others.every((at) => classOf(at, offset) !== classes[0]);
  });
  if (classOffset === undefined) throw new Error("no class is to be seen in objects");
  return {
    arrayAddress: offsetOf(({ address }) => address),
    arrayLength: offsetOf(({ length }) => length),
    classOffset,
    arrayClass: classOf(found[0]?.at ?? 0, classOffset),
  };
}

interface Piece {
  readonly at: number;
  readonly end: number;
}

function usedPieces(): Piece[] {
  const words = new BigUint64Array(memory.buffer);
  const isZero = (page: number) =>
    words.subarray((page * PAGE) / 8, ((page + 1) * PAGE) / 8).every((word) => word === 0n);
  const pieces: { at: number; end: number }[] = [];
  for (let page = 0; page < memory.buffer.byteLength / PAGE; page++) {
    if (isZero(page)) continue;
    const last = pieces.at(-1);
    if (last !== undefined && page - last.end / PAGE < GAP_PAGES) last.end = (page + 1) * PAGE;
    else pieces.push({ at: page * PAGE, end: (page + 1) * PAGE });
  }
  return pieces;
}

function writeSnapshot(): void {
  const pieces = usedPieces();
  const content = pieces.map(({ at, end }) => new Uint8Array(memory.buffer, at, end - at));
  writeFileSync(join(outDirectory, "memory.bin"), Buffer.concat(content));
  const defines = {
    SNAPSHOT_MEMORY_BYTES: memory.buffer.byteLength,
    SNAPSHOT_HEAP: pieces.toSorted((left, right) => right.end - right.at - (left.end - left.at))[0]?.at,
    SNAPSHOT_RUNTIME: runtime,
    SNAPSHOT_CONTEXT: context,
    SNAPSHOT_GLOBAL: globalObject,
    SNAPSHOT_MAIN: main,
    ...Object.fromEntries(Object.entries(samples.tags).map(([name, tag]) => [`TAG_${name}`, `(${tag})`])),
    ARRAY_ADDRESS_AT: samples.arrayAddress,
    ARRAY_LENGTH_AT: samples.arrayLength,
    OBJECT_CLASS_AT: samples.classOffset,
    UINT8_ARRAY_CLASS: samples.arrayClass,
    SNAPSHOT_PIECES: pieces.map(({ at, end }) => `{ ${at}u, ${end - at}u }`).join(", "),
    HOST_FUNCTIONS: hostFunctions.map((name) => `HOST(${name})`).join(" "),
  };
  const lines = [
    ...Object.entries(defines),
    ...exportNames().map(([name, inC]) => [`interpreter_${name}`, inC]),
  ].map(([name, value]) => `#define ${name} ${value}`);
  writeFileSync(
    join(outDirectory, "snapshot.h"),
    `/* By scripts/make-snapshot.ts. */\n${lines.join("\n")}\n`,
  );
}
