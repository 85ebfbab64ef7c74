import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { packImage, packTar, type TarEntry } from "../../../scripts/image-archive.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, busyboxFiles } from "../../fixtures/images.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("hostile-image", []);

/** A directory of the host that every entry below tries to write into. */
const target = `/tmp/gantry-test-target-${process.pid}`;
const up = "../".repeat(30);

const tricks: readonly (readonly [string, readonly TarEntry[]])[] = [
  ["an absolute path", [{ name: `${target}/f`, content: "x" }]],
  ["dots upwards", [{ name: `${up}${target.slice(1)}/f`, content: "x" }]],
  ["dots in the middle", [{ name: `bin/../${up}${target.slice(1)}/f`, content: "x" }]],
  [
    "an absolute symbolic link as parent",
    [
      { name: "out", type: "symlink", linkName: target },
      { name: "out/f", content: "x" },
    ],
  ],
  [
    "a relative symbolic link as parent",
    [
      { name: "out", type: "symlink", linkName: `${up}${target.slice(1)}` },
      { name: "out/f", content: "x" },
    ],
  ],
  [
    "a symbolic link as the file itself",
    [
      { name: "f", type: "symlink", linkName: `${target}/f` },
      { name: "f", content: "x" },
    ],
  ],
  [
    "a link to a link",
    [
      { name: "a", type: "symlink", linkName: "b" },
      { name: "b", type: "symlink", linkName: target },
      { name: "a/f", content: "x" },
    ],
  ],
  [
    "a hard link through a symbolic link",
    [
      { name: "out", type: "symlink", linkName: target },
      { name: "f", type: "hardlink", linkName: "out/there" },
    ],
  ],
  [
    "a whiteout through a symbolic link",
    [
      { name: "out", type: "symlink", linkName: target },
      { name: "out/.wh.there", content: "" },
    ],
  ],
  ["a whiteout of dots", [{ name: "bin/.wh...", content: "" }]],
];

test.each(tricks)("%s does not leave the layer", async (_name, entries) => {
  const { engine } = machine;
  mkdirSync(target);
  try {
    await Bun.write(`${target}/there`, "untouched");
    const layers = [packTar(await busyboxFiles()), packTar(entries)];
    const archive = packImage({ tags: ["hostile:latest"], layers, config: { Cmd: ["/bin/true"] } });
    const accepted = await engine.load(archive).then(
      () => true,
      () => false,
    );
    expect(readdirSync(target)).toEqual(["there"]);
    expect(await Bun.file(`${target}/there`).text()).toBe("untouched");
    const images = await engine.json("GET", "/images/json");
    expect(images).toHaveLength(accepted ? 1 : 0);
    if (accepted) await engine.must("gantry", "rmi", "hostile");
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
});

test("a corrupt archive is refused, and leaves nothing", async () => {
  const { engine } = machine;
  const whole = await Bun.file(await busyboxArchiveFile()).bytes();
  await expect(engine.load(whole.slice(0, whole.length / 2))).rejects.toThrow();
  const flipped = whole.slice();
  flipped[whole.length / 2] = (flipped[whole.length / 2] ?? 0) ^ 0xff;
  await expect(engine.load(flipped)).rejects.toThrow();
  expect(await engine.json("GET", "/images/json")).toEqual([]);
});

test("a full disk while unpacking is said, and what was written is given back", async () => {
  await using engine = await TestEngine.start({ name: "full-disk", rootSize: "6m" });
  const big = packTar([{ name: "big", content: new Uint8Array(16 << 20).fill(120) }]);
  const archive = packImage({ tags: ["big:latest"], layers: [big], config: {} });
  await expect(engine.load(archive)).rejects.toThrow(/no space left|ENOSPC/i);
  expect(await engine.json("GET", "/images/json")).toEqual([]);
  await engine.load(Bun.file(await busyboxArchiveFile()));
  const run = await engine.gantry(["run", "--rm", "busybox", "true"]);
  expect(run.exitCode).toBe(0);
  expect(existsSync(engine.root)).toBe(true);
});
