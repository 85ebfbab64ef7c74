import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as real from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunHost } from "../testing/bun-host.ts";
import * as own from "./fs.ts";
import type { Stats } from "./stats.ts";

let directory: string;
beforeAll(() => {
  globalThis.gantryHost = bunHost;
  directory = real.mkdtempSync(join(tmpdir(), "gantry-environment-"));
  real.writeFileSync(join(directory, "text"), "grüße\n");
  real.mkdirSync(join(directory, "inner/deep"), { recursive: true });
  real.symlinkSync("text", join(directory, "link"));
});
afterAll(() => real.rmSync(directory, { recursive: true }));

/** What a call gives or throws, in a form that compares. */
function outcome(call: () => unknown): unknown {
  try {
    return { value: call() };
  } catch (error) {
    const { message, code, syscall, path } = error as NodeJS.ErrnoException;
    return { message, code, syscall, path };
  }
}

describe("files of the environment are as node:fs has them", () => {
  test.each(["text", "link", "inner", "missing", "text/below"])("stat, lstat and access of %s", (name) => {
    const path = join(directory, name);
    const facts = (stats: Omit<real.Stats, "isFIFO"> | Stats) => {
      const { uid, gid, mode, ino, size, rdev, dev } = stats;
      return [
        uid,
        gid,
        mode,
        ino,
        size,
        rdev,
        dev,
        stats.isFile(),
        stats.isDirectory(),
        stats.isSymbolicLink(),
      ];
    };
    expect(outcome(() => facts(own.statSync(path)))).toEqual(outcome(() => facts(real.statSync(path))));
    expect(outcome(() => facts(own.lstatSync(path)))).toEqual(outcome(() => facts(real.lstatSync(path))));
    expect(own.existsSync(path)).toBe(real.existsSync(path));
    expect(outcome(() => own.statSync(path, { throwIfNoEntry: false })?.ino)).toEqual(
      outcome(() => real.statSync(path, { throwIfNoEntry: false })?.ino),
    );
    expect(outcome(() => own.readlinkSync(path))).toEqual(outcome(() => real.readlinkSync(path)));
  });

  test("devices have their numbers", () => {
    expect(own.statSync("/dev/null").rdev).toBe(real.statSync("/dev/null").rdev);
    expect(own.statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test.each(["text", "inner", "missing"])("reading %s", (name) => {
    const path = join(directory, name);
    expect(outcome(() => own.readFileSync(path, "utf8"))).toEqual(
      outcome(() => real.readFileSync(path, "utf8")),
    );
  });

  test("a file of /proc is read to its end, although it has no size", () => {
    expect(own.readFileSync("/proc/self/maps", "latin1").length).toBeGreaterThan(4096);
  });

  test("writing: new, exclusive, at the end, with a mode", () => {
    const path = join(directory, "written");
    own.writeFileSync(path, "one", { mode: 0o600 });
    expect(real.statSync(path).mode & 0o777).toBe(0o600);
    expect(outcome(() => own.writeFileSync(path, "two", { flag: "wx" }))).toMatchObject({ code: "EEXIST" });
    const fd = own.openSync(path, "a");
    own.writeSync(fd, "+two");
    own.closeSync(fd);
    expect(real.readFileSync(path, "utf8")).toBe("one+two");
  });

  test("reading and writing at positions", () => {
    const path = join(directory, "positions");
    const fd = own.openSync(path, "w+");
    try {
      own.writeSync(fd, "0123456789");
      own.writeSync(fd, Buffer.from("xyz"), 1, 2, 4);
      const buffer = Buffer.alloc(6, "-");
      expect(own.readSync(fd, buffer, 1, 4, 3)).toBe(4);
      expect(buffer.toString()).toBe("-3yz6-");
    } finally {
      own.closeSync(fd);
    }
    expect(outcome(() => own.closeSync(fd))).toMatchObject({ code: "EBADF", syscall: "close" });
  });

  test("directories: listed, made with parents, removed with content", () => {
    const kinds = (
      entries: { name: string; isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean }[],
    ) => entries.map((it) => [it.name, it.isDirectory(), it.isFile(), it.isSymbolicLink()]).sort();
    expect(kinds(own.readdirSync(directory, { withFileTypes: true }))).toEqual(
      kinds(real.readdirSync(directory, { withFileTypes: true })),
    );
    expect(outcome(() => own.readdirSync(join(directory, "text")))).toMatchObject({ code: "ENOTDIR" });
    const deep = join(directory, "made/a/b");
    own.mkdirSync(deep, { recursive: true, mode: 0o711 });
    own.mkdirSync(deep, { recursive: true });
    expect(real.statSync(deep).mode & 0o777).toBe(0o711);
    expect(outcome(() => own.mkdirSync(deep))).toMatchObject({
      code: "EEXIST",
      syscall: "mkdir",
      path: deep,
    });
    real.writeFileSync(join(deep, "file"), "");
    expect(outcome(() => own.rmdirSync(join(directory, "made")))).toMatchObject({ code: "ENOTEMPTY" });
    own.rmSync(join(directory, "made"), { recursive: true });
    own.rmSync(join(directory, "made"), { recursive: true, force: true });
    expect(real.existsSync(join(directory, "made"))).toBe(false);
  });

  test("more entries than one call gives", () => {
    const many = join(directory, "many");
    real.mkdirSync(many);
    for (let index = 0; index < 1500; index++)
      real.writeFileSync(join(many, `file-of-some-length-${index}`), "");
    expect(own.readdirSync(many).sort()).toEqual(real.readdirSync(many).sort());
    own.rmSync(many, { recursive: true });
  });

  test("names and modes change", () => {
    const [from, to] = [join(directory, "before"), join(directory, "after")];
    real.writeFileSync(from, "");
    own.renameSync(from, to);
    own.chmodSync(to, 0o640);
    expect(real.statSync(to).mode & 0o777).toBe(0o640);
    own.unlinkSync(to);
    expect(outcome(() => own.unlinkSync(to))).toMatchObject({ code: "ENOENT", syscall: "unlink", path: to });
    expect(own.realpathSync(join(directory, "link"))).toBe(real.realpathSync(join(directory, "text")));
  });
});
