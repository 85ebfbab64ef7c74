import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeErofsImage } from "../../../src/core/snapshots/erofs/write-image.ts";
import { mountErofs } from "../../../src/kernel/mount-erofs.ts";
import { MNT_DETACH, unmount } from "../../../src/kernel/mounts.ts";
import { setXattr } from "../../../src/kernel/xattrs.ts";
import { command, mustRun } from "../../fixtures/command.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { describeTree } from "../unpack/layers.ts";

const scratch = scratchDirectory("erofs");
const tree = join(scratch, "tree");
const image = join(scratch, "image");
const target = join(scratch, "target");

await mustRun([
  "sh",
  "-ec",
  `
  mkdir -p ${tree}/many ${tree}/d/deep ${target}; cd ${tree}
  for i in $(seq 1500); do echo $i > many/a-file-with-a-rather-long-name-$i; done
  head -c 4096 /dev/urandom > block; head -c 4097 /dev/urandom > over; head -c 3000000 /dev/urandom > big; : > empty
  ln big d/deep/hard; ln -s ../big d/link; mkfifo d/fifo; mknod d/whiteout c 0 0; mknod d/sda b 8 300
  chown 70000:80000 d/link d/deep; chmod 4755 block; touch -d '1960-01-02 03:04:05.678' block; touch -d 2200-01-01 d
  touch -- '-first' '!before' "$(printf 'bytes-\\351')"`,
]);
symlinkSync("x".repeat(4000), join(tree, "long-link"));
setXattr(tree, "trusted.overlay.opaque", Buffer.from("y"));
setXattr(join(tree, "big"), "user.long", Buffer.alloc(3900, "v")); // ext4 keeps no more
for (let at = 0; at < 5; at++) setXattr(join(tree, "empty"), `user.name${at}`, Buffer.from(`${at}`));
writeErofsImage({ directory: tree, image });

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.each([
  ["the file itself", false],
  ["a loop device", true],
])("an image that is mounted from %s shows the tree", (_, loop) => {
  mountErofs(image, target, { loop });
  try {
    expect(describeTree(target)).toEqual(describeTree(tree));
  } finally {
    unmount(target, MNT_DETACH);
  }
});

test("another reader of the format finds nothing wrong, and the same files", async () => {
  const extracted = join(scratch, "extracted");
  await mustRun(["fsck.erofs", image]);
  await mustRun(["fsck.erofs", `--extract=${extracted}`, "--preserve", image]);
  await mustRun(["diff", "-r", "--no-dereference", join(tree, "many"), join(extracted, "many")]);
  expect(readFileSync(join(extracted, "big")).equals(readFileSync(join(tree, "big")))).toBe(true);
});

test("a tree has one image", () => {
  writeErofsImage({ directory: tree, image: `${image}-2` });
  expect(readFileSync(`${image}-2`).equals(readFileSync(image))).toBe(true);
});

test("an empty tree, and one that is no image", async () => {
  mkdirSync(join(scratch, "none"));
  writeErofsImage({ directory: join(scratch, "none"), image: `${image}-3` });
  expect((await command(["fsck.erofs", `${image}-3`])).exitCode).toBe(0);
  writeFileSync(`${image}-4`, "");
  truncateSync(`${image}-4`, 8192);
  expect(() => mountErofs(`${image}-4`, target)).toThrow(`mount ${image}-4: invalid argument`);
});
