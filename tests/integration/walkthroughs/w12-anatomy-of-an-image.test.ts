import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { describeTree } from "../unpack/layers.ts";

const machine = useMachine("w12", ["busybox"]);
let directory: string;
beforeAll(() => {
  directory = scratchDirectory("w12-files");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A second layer with something new, something deleted, and a directory made again. */
const script =
  "mkdir /new && echo 1 > /new/file && rm /etc/group && rm -r /home && mkdir /home && echo 2 > /home/again";

/** What each container has beside its image, and the directories whose times that changes. */
const engineFiles = /^"(\.|\.dockerenv|dev(\/.*)?|etc(\/(hostname|hosts|mtab|resolv\.conf))?|proc|sys)" /;

describe.each(clients)("W12 anatomy of an image, with %s", (client) => {
  let saved: string;
  const inDirectory = (name: string) => {
    const path = join(directory, `${client}-${name}`);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const image = `${client}/anatomy`;

  beforeAll(async () => {
    const { engine } = machine;
    const id = await engine.must(client, "create", "busybox", "sh", "-ec", script);
    await engine.must(client, "start", "-a", id);
    await engine.must(client, "commit", id, image);
    await engine.must(client, "rm", id);
    saved = inDirectory("saved");
    await engine.must(client, "save", "-o", `${saved}.tar`, image);
    await mustRun(["tar", "-xf", `${saved}.tar`, "-C", saved]);
  });

  test("the sha256 of each part is its name, and manifest.json tells the parts", async () => {
    for (const name of readdirSync(join(saved, "blobs/sha256")))
      expect(sha256(readFileSync(join(saved, "blobs/sha256", name)))).toBe(name);
    const [{ Config, RepoTags, Layers }] = json(join(saved, "manifest.json"));
    expect(RepoTags).toEqual([`${image}:latest`]);
    const id = await machine.engine.must(client, "inspect", "-f", "{{.Id}}", image);
    expect(`sha256:${Config.split("/").at(-1)}`).toBe(id);
    const { rootfs, history } = json(join(saved, Config));
    expect(rootfs.diff_ids).toHaveLength(2);
    expect(history).toHaveLength(2);
    const tars = Layers.map((path: string) => readFileSync(join(saved, path))).map((blob: Buffer) =>
      blob[0] === 0x1f ? gunzipSync(blob) : blob,
    );
    expect(tars.map((tar: Buffer) => `sha256:${sha256(tar)}`)).toEqual(rootfs.diff_ids);
    expect(json(join(saved, "oci-layout"))).toEqual({ imageLayoutVersion: "1.0.0" });
  });

  test("the layers unpacked in order by hand are the root of a container", async () => {
    const byHand = inDirectory("by-hand");
    const [{ Layers }] = json(join(saved, "manifest.json"));
    for (const layer of Layers) await mustRun(["sh", "-ec", unpackByHand, "sh", join(saved, layer), byHand]);
    const { engine } = machine;
    const id = await engine.must(client, "create", image);
    const exported = inDirectory("exported");
    await engine.must(client, "export", "-o", `${exported}.tar`, id);
    await mustRun(["tar", "-xpf", `${exported}.tar`, "-C", exported]);
    await engine.must(client, "rm", id);
    const filesOf = (root: string) => describeTree(root).filter((line) => !engineFiles.test(line));
    expect(filesOf(exported)).toEqual(filesOf(byHand));
    expect(readdirSync(join(byHand, "home"))).toEqual(["again"]);
  });
});

/** Whiteouts name what has to go, before the layer's own files come. Arguments: the layer, the root. */
const unpackByHand = `
  tar -tf "$1" | grep '\\.wh\\.' | while read -r name; do
    directory=$(dirname "$name") file=$(basename "$name")
    case "$file" in
      .wh..wh..opq) find "$2/$directory" -mindepth 1 -delete ;;
      *) rm -r "$2/$directory/\${file#.wh.}" ;;
    esac
  done
  tar -xpf "$1" -C "$2" --delay-directory-restore --exclude='.wh.*'`;
