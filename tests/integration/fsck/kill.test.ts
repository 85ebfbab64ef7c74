import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packImage, packTar, type TarEntry } from "../../../scripts/image-archive.ts";
import type { FsckFinding, FsckLine } from "../../../src/wire/fsck-report.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";

/** Of operations, three of which run at a time: each kill cuts up to three off. GANTRY_KILL_MOMENTS=600 kills 200 times. */
const moments = Number(process.env.GANTRY_KILL_MOMENTS ?? 200);
/** Of the moments; GANTRY_KILL_SEED repeats a run. */
const seed = Number(process.env.GANTRY_KILL_SEED ?? Date.now() % 2 ** 31);

/** Of the same files every time; no file is like another one. */
const files = (name: string, count: number): TarEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `${name}/${index % 7}/${index}`,
    content: `${name} ${index}\n`.repeat(1 + ((index * 37) % 400)),
  }));

const base = packTar(files("base", 60));
const pulledLayers = [base, packTar(files("pulled", 120)), packTar(files("more", 30))];
const loadedArchive = packImage({
  tags: ["loaded:1", "loaded:2"],
  layers: [base, packTar(files("loaded", 120))],
  config: { Cmd: ["/loaded"] },
});
/** Shares a layer with both, and stays. */
const keptArchive = packImage({ tags: ["kept:1"], layers: [base], config: { Cmd: ["/kept"] } });

let engine: TestEngine;
let registry: FaultyRegistry;

beforeAll(async () => {
  registry = await FaultyRegistry.start("none", pulledLayers);
  engine = await TestEngine.start({ name: "kill" });
  await engine.load(keptArchive);
  const { Id } = await engine.json("POST", "/containers/create?name=kept", { Image: "kept:1" });
  const upper = join(engine.root, "snapshots/containers", Id, "upper");
  for (const { name, content = "" } of files("written", 100)) {
    mkdirSync(dirname(join(upper, name)), { recursive: true });
    writeFileSync(join(upper, name), content);
  }
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);

interface Operation {
  readonly name: string;
  /** Settles when the engine has answered; rejects with what it said, or when it is gone. */
  run(): Promise<unknown>;
  /** Names that there are afterwards, and such as there are not. */
  readonly leaves: readonly string[];
  readonly takes: readonly string[];
}

const pulled = () => `${registry.host}/test:latest`;

const remove = (...names: string[]): Operation => ({
  name: `rmi ${names.join(" ")}`,
  leaves: [],
  takes: names,
  run: async () => {
    for (const name of names) {
      const { status } = await engine.fetch("DELETE", `/images/${name}`);
      // The one that was cut off may have come that far.
      if (status !== 200 && status !== 404) throw new Error(`rmi ${name}: ${status}`);
    }
  },
});

const pull = (): Operation => ({
  name: "pull",
  leaves: [pulled()],
  takes: [],
  run: async () => {
    const response = await engine.fetch("POST", `/images/create?fromImage=${encodeURIComponent(pulled())}`);
    const text = await response.text();
    if (!response.ok || !text.includes('"Status:')) throw new Error(`pull: ${response.status} ${text}`);
  },
});

const load = (): Operation => ({
  name: "load",
  leaves: ["loaded:1", "loaded:2"],
  takes: [],
  run: () => engine.load(loadedArchive),
});

const commit = (): Operation => ({
  name: "commit",
  leaves: ["committed:1"],
  takes: [],
  run: () => engine.json("POST", "/commit?container=kept&repo=committed&tag=1"),
});

/** All images but the one that a container uses. */
const prune = (): Operation => ({
  name: "prune",
  leaves: [],
  takes: [pulled(), "committed:1", "loaded:1", "loaded:2"],
  run: () => engine.json("POST", `/images/prune?filters=${encodeURIComponent('{"dangling":["false"]}')}`),
});

/** Operations that run at the same time; afterwards there is room for the others. */
const cycle = () => [
  [pull(), remove("loaded:1", "loaded:2"), commit()],
  [remove(pulled()), prune(), load()],
];

async function names(): Promise<string[]> {
  const images: { RepoTags: string[] }[] = await engine.json("GET", "/images/json");
  return images.flatMap(({ RepoTags }) => RepoTags).sort();
}

async function problems(deep = ""): Promise<FsckFinding[]> {
  const response = await engine.fetch("POST", `/gantry/v1/fsck?deep=${deep}`);
  const text = await response.text();
  const lines = text.split("\r\n").filter(Boolean);
  const parsed = lines.map((line): FsckLine => JSON.parse(line));
  expect(parsed.at(-1)).toHaveProperty("summary");
  return parsed.flatMap((line) =>
    "finding" in line && line.finding.severity === "problem" ? [line.finding] : [],
  );
}

test(`${moments} times kill -9: nothing is lost, and what was cut off can be repeated (seed ${seed})`, async () => {
  const random = randomNumbers(seed);
  const durations = new Map<string, number>();
  for (const operation of [...cycle(), ...cycle()].flat()) {
    const before = performance.now();
    await operation.run();
    durations.set(operation.name, performance.now() - before);
  }
  const expected = new Set(await names());
  const cut = new Map<string, number>();
  const rounds = Array.from({ length: Math.ceil(moments / 6) }, cycle).flat();
  for (const [round, group] of rounds.entries()) {
    // Within one of them: the shorter ones would be over at most moments of the longest.
    const aimed = group[Math.floor(random() * group.length)]?.name ?? "";
    const delayMs = random() * (durations.get(aimed) ?? 0);
    const where = `${group.map(({ name }) => name).join(" | ")} after ${delayMs.toFixed(1)} ms (seed ${seed})`;
    const running = group.map(async (operation) => {
      await operation.run().catch((error) => {
        const isAnswer = /: [45]\d\d /.test(String(error)); // the others were in its way
        if (!isAnswer) cut.set(operation.name, (cut.get(operation.name) ?? 0) + 1);
      });
    });
    await Bun.sleep(delayMs);
    await engine.kill();
    await Promise.all(running);
    await engine.boot();

    const found = await problems(round % 20 === 0 ? "1" : "");
    expect({ where, found }).toEqual({ where, found: [] });
    for (const { run, name, leaves, takes } of group) {
      await run().catch((error) => {
        throw new Error(`${name}, again, ${where}: ${error}`);
      });
      for (const image of leaves) expected.add(image);
      for (const image of takes) expected.delete(image);
    }
    expect({ where, names: await names() }).toEqual({ where, names: [...expected].sort() });
    await engine.json("GET", "/containers/kept/json");
  }
  expect(await problems("1")).toEqual([]);
  // Or the moments would be none: each operation has to be cut off many times.
  for (const { name } of cycle().flat())
    expect({ name, cut: cut.get(name) ?? 0 }).toSatisfy((it) => it.cut > 3);
}, 900_000);

/** mulberry32: numbers from 0 to 1 that a seed repeats. */
function randomNumbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
