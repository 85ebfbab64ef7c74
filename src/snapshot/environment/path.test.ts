import { expect, test } from "bun:test";
import { posix as real } from "node:path";
import { posix as own } from "./path.ts";

const segments = ["", ".", "..", "a", "bc", ".hidden", "..x", "a.b", "d e"];
/** Every path of up to three segments, relative and absolute. */
const paths = segments.flatMap((one) =>
  segments.flatMap((two) =>
    segments.flatMap((three) => [`${one}/${two}/${three}`, `/${one}/${two}`, `${one}${three}`]),
  ),
);

test("paths are those of node:path", () => {
  for (const path of paths) {
    expect(own.normalize(path)).toBe(real.normalize(path));
    expect(own.resolve("/base", path)).toBe(real.resolve("/base", path));
    expect(own.join("/base", path)).toBe(real.join("/base", path));
    expect(own.join(path, "x")).toBe(real.join(path, "x"));
    expect(own.dirname(path)).toBe(real.dirname(path));
    expect(own.basename(path)).toBe(real.basename(path));
    expect(own.isAbsolute(path)).toBe(real.isAbsolute(path));
  }
});
