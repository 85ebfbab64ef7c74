import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestHex, digestOf, parseDigest } from "../../../src/formats/digest.ts";
import { listXattrs, setXattr } from "../../../src/kernel/xattrs.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("commit", ["busybox"]);
let directory: string;
let destination: TestRegistry;
beforeAll(async () => {
  directory = scratchDirectory("commit-files");
  destination = await TestRegistry.start();
});
afterAll(async () => {
  await destination[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

interface SavedImage {
  readonly manifest: { config: { digest: string }; layers: { digest: string; mediaType: string }[] };
  readonly config: {
    author?: string;
    config: Record<string, unknown>;
    rootfs: { diff_ids: string[] };
    history: object[];
  };
  /** Of the topmost layer, as tar tells it. */
  readonly names: string[];
  readonly layout: string;
}

/** Saves an image and reads it back with other programs. */
async function saved(engine: TestEngine, name: string): Promise<SavedImage> {
  const layout = join(directory, crypto.randomUUID().slice(0, 8));
  mkdirSync(layout);
  await engine.must("gantry", "save", "-o", `${layout}.tar`, name);
  await mustRun(["tar", "-xf", `${layout}.tar`, "-C", layout]);
  const json = (path: string) => JSON.parse(readFileSync(join(layout, path), "utf8"));
  const blob = (digest: string) => `blobs/sha256/${digestHex(parseDigest(digest))}`;
  const manifest = json(blob(json("index.json").manifests[0].digest));
  const config = json(blob(manifest.config.digest));
  const top = join(layout, blob(manifest.layers.at(-1).digest));
  const names = (await mustRun(["tar", "-tf", top])).trim().split("\n");
  return { manifest, config, names, layout };
}

/** With 7 MB of numbers: more than one Worker compresses at a time. */
const script = `
  mkdir -p /new/deep && echo content > /new/deep/file && chmod 4755 /new/deep/file && ln /new/deep/file /new/again
  ln -s deep/file /new/link && mkfifo /new/pipe && mknod /new/null c 1 3 && echo long > /new/$(printf '%0150d' 1)
  rm /etc/group && rm -r /home && mkdir /home && echo x > /home/again && echo > /tmp/z && rm /tmp/z
  seq 1000000 > /new/deep/numbers
  touch -d @86400 /new/deep/file && touch -d @1000 /new/deep && (nc -ll -s local:/new/socket & true); echo done`;

const members = [
  "etc/",
  "etc/.wh.group",
  "home/",
  "home/.wh..wh..opq",
  "home/again",
  "new/",
  `new/${"1".padStart(150, "0")}`,
  "new/again",
  "new/deep/",
  "new/deep/file",
  "new/deep/numbers",
  "new/link",
  "new/null",
  "new/pipe",
  "tmp/",
];

describe.each(clients)("commit, with %s", (client) => {
  const name = `commit-${client}`;
  const image = `${client}/made:1`;
  let id: string;
  beforeAll(async () => {
    const { engine } = machine;
    await engine.must(
      client,
      "run",
      "-d",
      "--name",
      name,
      "--init",
      "busybox",
      "sh",
      "-ec",
      `${script}; sleep 600`,
    );
    await waitFor("the files", async () => (await engine.must(client, "logs", name)) === "done");
    const changes = ["-c", 'ENV A="b c"', "-c", 'CMD ["cat", "/new/link"]', "--change", "EXPOSE 80"];
    id = await engine.must(
      client,
      "commit",
      "-a",
      "me <m@example.org>",
      "-m",
      "why",
      ...changes,
      name,
      image,
    );
  });
  afterAll(() => machine.engine.must(client, "rm", "-f", name));

  test("the image runs with the files and the configuration", async () => {
    const { engine } = machine;
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await engine.must(client, "run", "--rm", image)).toBe("content");
    expect(
      await engine.must(
        client,
        "run",
        "--rm",
        image,
        "sh",
        "-c",
        'echo "$A"; ls /home; ls /etc/group || true',
      ),
    ).toStartWith("b c\nagain");
    expect(await engine.must(client, "inspect", "-f", "{{.State.Status}}", name)).toBe("running");
  });

  test("inspect and history tell where it comes from", async () => {
    const { engine } = machine;
    const [found] = JSON.parse(await engine.must(client, "image", "inspect", image));
    const [parent] = JSON.parse(await engine.must(client, "image", "inspect", "busybox"));
    expect(found).toMatchObject({ Id: id, Parent: parent.Id, Author: "me <m@example.org>", Comment: "why" });
    expect(found.Config).toMatchObject({ Cmd: ["cat", "/new/link"], ExposedPorts: { "80/tcp": {} } });
    expect(found.RootFS.Layers).toEqual([...parent.RootFS.Layers, expect.any(String)]);
    const [line, ...older] = (
      await engine.must(
        client,
        "history",
        "--no-trunc",
        "--format",
        "{{.ID}} {{.Comment}} {{.CreatedBy}}",
        image,
      )
    ).split("\n");
    expect(line).toStartWith(`${id} why sh -ec `);
    expect(older.at(-1)).toStartWith("<missing>");
  });

  test("the layer has the container's files and nothing of the engine's", async () => {
    const { names, config, manifest } = await saved(machine.engine, image);
    expect(names).toEqual(members);
    expect(manifest.layers.at(-1)?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
    expect(config.config.Env).toContain("A=b c");
    expect(config.history).toHaveLength(config.rootfs.diff_ids.length);
  });

  test("it is an event of the container and of the image", async () => {
    const { engine } = machine;
    const until = `${Math.floor(Date.now() / 1000) + 1}`;
    const args = ["events", "--since", "10m", "--until", until, "--format", "{{json .}}"];
    const events = (await engine.must(client, ...args)).split("\n").map((line) => JSON.parse(line));
    const of = (action: string) =>
      events.find((each) => each.Action === action && JSON.stringify(each).includes(id))?.Actor;
    expect(of("commit")?.Attributes).toMatchObject({ comment: "why", imageID: id, imageRef: image, name });
    expect(of("tag")).toEqual({ ID: id, Attributes: { name: image } });
  });

  test("skopeo, umoci and podman agree with its digests", async () => {
    const { engine } = machine;
    const target = `${destination.host}/${image}`;
    await engine.must(client, "tag", image, target);
    const output = await engine.must(client, "push", target);
    const remote = JSON.parse(
      await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${target}`]),
    );
    expect(output).toContain(`digest: ${remote.Digest} `);
    const copy = join(directory, `${client}-copy`);
    await mustRun([
      "skopeo",
      "copy",
      "-q",
      "--insecure-policy",
      "--src-tls-verify=false",
      `docker://${target}`,
      `oci:${copy}:made`,
    ]);
    await mustRun(["umoci", "unpack", "--image", `${copy}:made`, `${copy}-bundle`]);
    const unpacked = (path: string) => readFileSync(join(`${copy}-bundle`, "rootfs/new/deep", path), "utf8");
    expect(unpacked("file")).toBe("content\n");
    expect(unpacked("numbers")).toEndWith("\n999999\n1000000\n");
    const podman = [
      "podman",
      "--root",
      join(directory, `${client}-podman`),
      "--runroot",
      join(directory, `${client}-run`),
      "--storage-driver",
      "vfs",
    ];
    const pulled = await mustRun([...podman, "pull", "-q", "--tls-verify=false", target]);
    expect(`sha256:${pulled.trim()}`).toBe(id);
    await mustRun([...podman, "rmi", "-f", pulled.trim()]);
  }, 60_000);
});

test("what is unpacked here is what others unpack", async () => {
  const { engine } = machine;
  const id = await engine.must("gantry", "create", "busybox");
  const upper = await engine.must("gantry", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", id);
  mkdirSync(join(upper, "opt"), { mode: 0o710 });
  writeFileSync(join(upper, "opt/tool"), "program", { mode: 0o755 });
  const capability = Uint8Array.of(1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  setXattr(join(upper, "opt/tool"), "security.capability", capability);
  setXattr(join(upper, "opt"), "user.note", Buffer.from("kept"));
  await engine.must("gantry", "commit", id, "capable:1");
  await engine.must("gantry", "save", "-o", join(directory, "capable.tar"), "capable:1");
  await using other = await TestEngine.start({ name: "commit-other", rootSize: "64m" });
  await other.load(Bun.file(join(directory, "capable.tar")));
  const list = async ({ root }: TestEngine, chain: string) => {
    const layer = join(root, "snapshots/layers", chain, "diff");
    const files = await mustRun(["find", ".", "-mindepth", "1", "-printf", "%P %y %m %U:%G %s %T@\\n"], {
      cwd: layer,
    });
    const xattrs = ["opt", "opt/tool"].map((path) => listXattrs(join(layer, path)).sort());
    return {
      files: files
        .split("\n")
        .filter((line) => !/ d /.test(line))
        .sort(),
      xattrs,
    };
  };
  const layers: string[] = JSON.parse(
    await engine.must("gantry", "image", "inspect", "-f", "{{json .RootFS.Layers}}", "capable:1"),
  );
  const chain = digestHex(digestOf(`${layers[0]} ${layers[1]}`));
  const here = await list(engine, chain);
  expect(here.files.join()).toContain("opt/tool f 755 0:0 7");
  expect(here.xattrs).toEqual([["user.note"], ["security.capability"]]);
  expect(await list(other, chain)).toEqual(here);
  await engine.must("gantry", "rm", id);
}, 60_000);

test("the same tree gives the same layer in another engine, made in another order on another file system", async () => {
  await using other = await TestEngine.start({ name: "commit-two", rootSize: "64m" });
  await other.load(await busyboxArchive("busybox:latest"));
  const digestOfTree = async (engine: TestEngine, files: readonly string[]) => {
    const make = files.map((path) => `mkdir -p $(dirname ${path}) && echo ${path} > ${path}`).join(" && ");
    const settle =
      "rm -f /etc/group /data/late; find /data -exec touch -d @1000000 {} +; touch -d @1000000 /etc";
    const text = `${make} && ${settle}`;
    await engine.must("gantry", "run", "--name", "tree", "busybox", "sh", "-c", text);
    await engine.must("gantry", "commit", "tree", "tree:1");
    const { manifest, config, names } = await saved(engine, "tree:1");
    await engine.must("gantry", "rm", "tree");
    return { layer: manifest.layers.at(-1)?.digest, diffId: config.rootfs.diff_ids.at(-1), names };
  };
  const files = ["/data/a", "/data/b/x", "/data/b/y", "/data/c"];
  const first = await digestOfTree(machine.engine, files);
  expect(first.names).toEqual([
    "data/",
    "data/a",
    "data/b/",
    "data/b/x",
    "data/b/y",
    "data/c",
    "etc/",
    "etc/.wh.group",
  ]);
  expect(await digestOfTree(other, ["/data/late", ...files.toReversed()])).toEqual(first);
}, 60_000);

test.each([true, false])("a container that writes all the time, paused: %p", async (pause) => {
  const { engine } = machine;
  const writer = "i=0; while true; do i=$((i+1)); echo $i > /first; echo $i > /second; done";
  const id = await engine.must("gantry", "run", "-d", "busybox", "sh", "-c", writer);
  await waitFor(
    "the writer",
    async () => (await engine.gantry(["exec", id, "test", "-s", "/second"])).exitCode === 0,
  );
  await engine.must("gantry", "commit", ...(pause ? [] : ["--no-pause"]), id, "writing:1");
  expect(await engine.must("gantry", "inspect", "-f", "{{.State.Status}}", id)).toBe("running");
  const text = await engine.must(
    "gantry",
    "run",
    "--rm",
    "writing:1",
    "sh",
    "-c",
    "cat /first; echo -; cat /second",
  );
  if (pause) {
    const [first = "", second = ""] = text.split("-").map((part) => part.trim());
    // Standing still, the second file is at most one write behind; either may just have been emptied.
    if (first !== "" && second !== "") expect(Number(first) - Number(second)).toBeOneOf([0, 1]);
    else expect(first === "" || second === "").toBe(true);
  }
  const now = await engine.must("gantry", "exec", id, "cat", "/first");
  await waitFor(
    "further writes",
    async () => (await engine.must("gantry", "exec", id, "cat", "/first")) !== now,
  );
  await engine.must("gantry", "rm", "-f", id);
});

test("a paused container stays paused, and a stopped one stopped", async () => {
  const { engine } = machine;
  const id = await engine.must("gantry", "run", "-d", "busybox", "sleep", "600");
  await engine.must("gantry", "pause", id);
  await engine.must("gantry", "commit", id);
  expect(await engine.must("gantry", "inspect", "-f", "{{.State.Status}}", id)).toBe("paused");
  await engine.must("gantry", "kill", id);
  await engine.must("gantry", "wait", id);
  await engine.must("gantry", "commit", id);
  expect(await engine.must("gantry", "inspect", "-f", "{{.State.Status}}", id)).toBe("exited");
  await engine.must("gantry", "rm", id);
});

test("an engine that is killed in a commit lets the container go on, and leaves nothing half made", async () => {
  await using engine = await TestEngine.start({ name: "commit-killed" });
  await engine.load(await busyboxArchive("busybox:latest"));
  const text = "truncate -s 200M /big; echo done; sleep 600"; // long enough to be caught
  const id = await engine.must("gantry", "run", "-d", "busybox", "sh", "-c", text);
  await waitFor("the files", async () => (await engine.must("gantry", "logs", id)) === "done");
  const status = () => engine.must("gantry", "inspect", "-f", "{{.State.Status}}", id);
  const committing = engine.gantry(["commit", id, "cut:1"]);
  await waitFor("the pause", async () => (await status()) === "paused");
  await engine.kill("SIGKILL");
  expect((await committing).exitCode).toBe(1);
  await engine.boot();
  expect(await status()).toBe("running");
  expect(await engine.must("gantry", "exec", id, "echo", "alive")).toBe("alive");
  expect(readdirSync(join(engine.root, "snapshots/drafts"))).toEqual([]);
  await engine.must("gantry", "commit", id, "cut:1");
  expect(await engine.must("gantry", "run", "--rm", "cut:1", "stat", "-c", "%s", "/big")).toBe(
    `${200 << 20}`,
  );
  expect(await engine.gantry(["fsck"])).toMatchObject({ exitCode: 0 });
}, 60_000);

test("a container that changed nothing adds no layer", async () => {
  const { engine } = machine;
  const id = await engine.must("gantry", "create", "--init", "busybox", "true");
  await engine.must("gantry", "start", "-a", id);
  await engine.must("gantry", "commit", id, "same:1");
  const layers = (name: string) =>
    engine.must("gantry", "image", "inspect", "-f", "{{json .RootFS.Layers}}", name);
  expect(await layers("same:1")).toBe(await layers("busybox"));
  expect((await saved(engine, "same:1")).config.history.at(-1)).toMatchObject({ empty_layer: true });
  await engine.must("gantry", "rm", id);
});

test("a body takes the place of the container's configuration; null and nothing do not", async () => {
  const { engine } = machine;
  const id = await engine.must("gantry", "create", "-e", "OWN=1", "busybox", "true");
  const commit = async (body?: object | null) => {
    const answer = await engine.fetch("POST", `/commit?container=${id}&repo=body`, body);
    expect(answer.status).toBe(201);
    const { Id } = (await answer.json()) as { Id: string };
    return JSON.parse(await engine.must("gantry", "image", "inspect", "-f", "{{json .Config}}", Id));
  };
  for (const body of [undefined, null, {}]) expect(await commit(body)).toMatchObject({ Cmd: ["true"] });
  const other = await commit({ Cmd: ["false"], Env: ["NEW=2"], User: "nobody" });
  expect(other).toMatchObject({ Cmd: ["false"], User: "nobody" });
  expect(other.Env).toEqual(expect.arrayContaining(["NEW=2", "OWN=1"]));
  await engine.must("gantry", "rm", id);
});

test("what is refused, by name", async () => {
  const { engine } = machine;
  const id = await engine.must("gantry", "create", "busybox", "true");
  const upper = await engine.must("gantry", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", id);
  const images = await engine.must("gantry", "images", "-q", "--no-trunc");
  for (const client of clients) {
    const refusal = async (...args: string[]) => {
      const { exitCode, stderr } = await engine[client](["commit", ...args]);
      expect(exitCode).toBe(1);
      return stderr;
    };
    expect(await refusal("nobody")).toContain("No such container: nobody");
    expect(await refusal("-c", "RUN x", id)).toContain("RUN is not a valid change command");
    expect(await refusal("-c", "STOPSIGNAL x", id)).toContain("invalid signal: x");
    expect(await refusal(id, "UPPER")).toContain("must be lowercase");
    expect(await refusal(id, "sha256:abc")).toContain("refusing to create an ambiguous tag");
  }
  writeFileSync(join(upper, ".wh.name"), "");
  expect((await engine.gantry(["commit", id])).stderr).toContain('file "/.wh.name" cannot be in a layer');
  expect(await engine.must("gantry", "images", "-q", "--no-trunc")).toBe(images);
  await engine.must("gantry", "rm", id);
});

test("an engine with zstd layers", async () => {
  await using engine = await TestEngine.start({ name: "commit-zstd", args: ["--layer-compression", "zstd"] });
  await engine.load(await busyboxArchive("busybox:latest"));
  await engine.must("docker", "run", "--name", "c", "busybox", "sh", "-c", "echo zstd > /file");
  await engine.must("docker", "commit", "c", "packed");
  const { manifest, layout } = await saved(engine, "packed");
  expect(manifest.layers.at(-1)?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
  await mustRun(["skopeo", "copy", "-q", "--insecure-policy", `oci:${layout}`, `dir:${layout}-dir`]);
  expect(await engine.must("docker", "run", "--rm", "packed", "cat", "/file")).toBe("zstd");
}, 60_000);
