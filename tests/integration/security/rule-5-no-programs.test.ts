import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { command } from "../../fixtures/command.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { startImageRegistry } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import type { TestRegistry } from "../../fixtures/registry.ts";
import { program } from "./hostile-image.ts";

/** What engines of this kind run, or have run, to unpack, mount and connect. */
const names = [
  "gzip",
  "gunzip",
  "zcat",
  "pigz",
  "unpigz",
  "zstd",
  "unzstd",
  "xz",
  "unxz",
  "bzip2",
  "tar",
  "bsdtar",
]
  .concat([
    "cp",
    "mount",
    "umount",
    "mknod",
    "chown",
    "ip",
    "iptables",
    "nft",
    "modprobe",
    "tc",
    "runc",
    "crun",
  ])
  .concat(["containerd-shim", "docker-init", "docker-proxy", "newuidmap", "id", "getent", "useradd"]);
const directory = scratchDirectory("rule-5");
const marker = join(directory, "called");
const fake = `#!/bin/sh\necho "$0" >> ${marker}\nexit 1\n`;
const fakes = join(directory, "bin");

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  mkdirSync(fakes);
  for (const name of names) {
    writeFileSync(join(fakes, name), fake);
    chmodSync(join(fakes, name), 0o755);
  }
  registry = await startImageRegistry();
  const path = process.env.PATH ?? "";
  process.env.PATH = `${fakes}:${path}`;
  try {
    engine = await TestEngine.start({ name: "rule-5" });
  } finally {
    process.env.PATH = path;
  }
}, 300_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
}, 60_000);

test("the false programs would be noticed: whoever looks for gzip there calls one", async () => {
  const env = { PATH: `${fakes}:/bin:/usr/bin` };
  expect((await command(["sh", "-c", "gzip < /dev/null"], { env })).exitCode).toBe(1);
  expect(await Bun.file(marker).text()).toBe(`${join(fakes, "gzip")}\n`);
  rmSync(marker);
});

test("CVE-2026-41567: layers in gzip are unpacked by no program of PATH", async () => {
  await engine.must("gantry", "pull", `${registry.host}/busybox:latest`);
  await engine.must("gantry", "tag", `${registry.host}/busybox:latest`, "busybox");
  expect(
    (await engine.gantry(["run", "--rm", "-p", "127.0.0.1::80", "busybox", "echo", "runs"])).stdout,
  ).toBe("runs\n");
  expect(existsSync(marker)).toBe(false);
});

test("CVE-2026-41567: programs that an image brings run in its containers only", async () => {
  const taken = new Set([...names.map((name) => `bin/${name}`)]);
  const image = packImage({
    tags: ["bait:latest"],
    layers: [
      packTar((await busyboxFiles()).filter(({ name }) => !taken.has(name))),
      packTar([
        ...["bin", "usr/bin", "sbin", "usr/sbin"].flatMap((where) =>
          names.map((name) => program(`${where}/${name}`, fake)),
        ),
        { name: directory.slice(1), type: "directory", mode: 0o777 },
      ]),
    ],
    config: { Cmd: ["sh"] },
  });
  await engine.load(Bun.gzipSync(image));
  expect(existsSync(marker)).toBe(false);
  const started = await engine.gantry([
    "run",
    "--name",
    "bait",
    "bait",
    "sh",
    "-c",
    `[ -e ${marker} ] || echo none`,
  ]);
  expect(started.stdout).toBe("none\n");
  const called = await engine.gantry(["run", "--rm", "bait", "sh", "-c", `/bin/gzip; cat ${marker}`]);
  expect(called.stdout).toMatch(/bin\/gzip\n$/); // the bait works
  await engine.must("gantry", "rm", "bait");
  expect(existsSync(marker)).toBe(false);
});
