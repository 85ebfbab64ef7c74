import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";

let engine: TestEngine;
const common = packTar([{ name: "common", content: "x".repeat(2000) }]);
const layer = (name: string, sizeBytes: number) => packTar([{ name, content: "x".repeat(sizeBytes) }]);

beforeAll(async () => {
  engine = await TestEngine.start({ name: "images" });
  const load = (tags: string[], created: string, Labels: Record<string, string>, own: Uint8Array) =>
    engine.load(packImage({ tags, created, config: { Labels }, layers: [common, own] }));
  await load(["app:old"], "2020-01-01T00:00:00Z", { stage: "test" }, layer("a", 100));
  await load(["app:new", "team/app:2"], "2022-01-01T00:00:00Z", { stage: "live" }, layer("b", 300));
  await load(["web:one"], "2021-01-01T00:00:00Z", { stage: "live", team: "web" }, layer("c", 500));
  await load(["moved:one"], "2019-01-01T00:00:00Z", {}, layer("d", 700));
  await engine.must("gantry", "tag", "web:one", "moved:one"); // the image before has no name any more
}, 30_000);
afterAll(() => engine[Symbol.asyncDispose]());

describe.each(clients)("images, with %s", (client) => {
  const names = async (...args: string[]) => {
    const text = await engine.must(client, "images", "--format", "{{.Repository}}:{{.Tag}}", ...args);
    return text === "" ? [] : text.split("\n");
  };

  test.each([
    [[], ["app:new", "team/app:2", "moved:one", "web:one", "app:old", "<none>:<none>"]],
    [["-f", "dangling=true"], ["<none>:<none>"]],
    [["-f", "dangling=false", "-f", "before=web:one"], ["app:old"]],
    [
      ["-f", "since=web:one"],
      ["app:new", "team/app:2"],
    ],
    [
      ["-f", "label=stage=live", "-f", "label=team"],
      ["moved:one", "web:one"],
    ],
    [["-f", "label=stage", "-f", "label!=stage=live"], ["app:old"]],
    [
      ["-f", "reference=app"],
      ["app:new", "app:old"],
    ],
    [["-f", "reference=*/app:*"], ["team/app:2"]],
    [["-f", "reference=w?b"], ["web:one"]],
    [["-f", "reference=[wx]eb"], ["web:one"]],
    [["app"], ["app:new", "app:old"]],
    [["app:old"], ["app:old"]],
    [["nothing"], []],
    [
      ["-f", "until=2020-06-01T00:00:00Z"],
      ["app:old", "<none>:<none>"],
    ],
    [["-f", "until=24h", "-f", "reference=app:old"], ["app:old"]],
  ] as const)("%j", async (args, wanted) => {
    expect((await names(...args)).toSorted()).toEqual([...wanted].toSorted());
  });

  test("newest first", async () => {
    const created = await engine.must(client, "images", "--format", "{{.CreatedAt}}");
    const years = created.split("\n").map((line) => line.slice(0, 4));
    expect(years).toEqual(years.toSorted().reverse());
  });

  test("ids alone, cut or whole", async () => {
    const [short] = (await engine.must(client, "images", "-q", "web:one")).split("\n");
    const [whole] = (await engine.must(client, "images", "-q", "--no-trunc", "web:one")).split("\n");
    expect(short).toMatch(/^[0-9a-f]{12}$/);
    expect(whole).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(whole).toContain(short ?? "missing");
  });

  test("a filter that cannot be right is refused", async () => {
    for (const [filter, message] of [
      ["dangling=perhaps", "invalid filter 'dangling=[perhaps]'"],
      ["colour=red", "invalid filter 'colour'"],
      ["before=missing", "no such image"],
      ["reference=[", "syntax error in pattern"],
      ["until=soon", "invalid timestamp"],
    ] as const) {
      const { exitCode, stderr } = await engine[client](["images", "-f", filter]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(message);
    }
  });
});

test.each<readonly string[]>([
  ["images", "--format", "raw"],
  ["images", "--format", "raw", "--digests"],
  ["images", "--format", "raw", "-q"],
  ["images", "--format", "table", "-q"],
  ["images", "--format", "table {{.ID}}\\t{{.Tag}}", "--digests"],
  ["history", "--human=false", "--format", "{{.CreatedSince}} {{.CreatedAt}} {{.Size}}", "app:new"],
  ["ps", "--format", "raw"],
  ["network", "ls", "--format", "raw", "-f", "name=host"],
])("both clients print the same: %j", async (...args) => {
  const sorted = (text: string) => text.split("\n").toSorted(); // images of one moment have no order in Docker's client
  expect(sorted(await engine.must("gantry", ...args))).toEqual(sorted(await engine.must("docker", ...args)));
});

describe.each(clients)("names that cannot be, with %s", (client) => {
  test("a digest is no name for a tag", async () => {
    const name = `kept@sha256:${"c".repeat(64)}`;
    const { exitCode, stderr } = await engine[client](["tag", "app:new", name]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/digest/);
    expect(await engine.must(client, "images", "-q", "kept")).toBe("");
  });

  test("rmi --force of what is not there is no failure, and says so; of another kind it is one", async () => {
    expect(await engine[client](["rmi", "--force", "nothing"])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("No such image: nothing:latest"),
    });
    expect(await engine[client](["rmi", "nothing"])).toMatchObject({ exitCode: 1 });
    expect(await engine[client](["rmi", "--force", "nothing", "UPPER"])).toMatchObject({ exitCode: 1 });
  });

  test("a directory is no archive", async () => {
    for (const args of [
      ["load", "-i", engine.directory],
      ["import", engine.directory],
    ]) {
      const { exitCode, stderr } = await engine[client](args);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`read ${engine.directory}: is a directory`);
    }
  });
});

test("the tag of a query counts before that of the name", async () => {
  expect((await engine.fetch("POST", "/images/app:new/tag?repo=twice:one&tag=two")).status).toBe(201);
  expect(await engine.must("gantry", "images", "--format", "{{.Tag}}", "twice")).toBe("two");
  await engine.must("gantry", "rmi", "twice:two");
  const pull = await engine.fetch("POST", "/images/create?fromImage=127.0.0.1:1/a:one&tag=two");
  expect(await pull.text()).toContain("dial tcp 127.0.0.1:1: connect: connection refused");
  const odd = await engine.fetch("POST", "/images/create?fromImage=app&tag=!");
  expect(odd.status).toBe(400);
  expect(await odd.json()).toMatchObject({ message: "invalid tag format" });
});

test("an image's events have its labels, and its layers have none of their own", async () => {
  const since = (Date.now() / 1000).toFixed(3);
  await engine.load(
    packImage({ tags: ["told:1"], config: { Labels: { whose: "told" } }, layers: [layer("told", 10)] }),
  );
  await engine.must("gantry", "tag", "told:1", "told:2");
  const id = await engine.must("gantry", "images", "-q", "--no-trunc", "told:1");
  await engine.must("gantry", "rmi", "told:1", "told:2");
  const until = (Date.now() / 1000).toFixed(3);
  const events = async (...filter: string[]) => {
    const span = ["--since", since, "--until", until, "-f", "type=image", ...filter];
    return (await engine.must("gantry", "events", ...span, "--format", "{{.Action}} {{.Actor.ID}}")).split(
      "\n",
    );
  };
  const told = ["load", "tag", "untag", "untag"].map((action) => `${action} ${id}`);
  expect(await events("-f", "label=whose=told")).toEqual(told);
  expect(await events()).toEqual([...told, `delete ${id}`]);
});

test("images of one moment are listed by name", async () => {
  const created = "2018-01-01T00:00:00Z";
  for (const name of ["c", "a", "b"])
    await engine.load(
      packImage({ tags: [`docker.io/same/${name}:1`], created, config: {}, layers: [layer(name, 10)] }),
    );
  const list: { RepoTags: string[] }[] = await engine.json("GET", "/v1.51/images/json");
  const names = list.flatMap(({ RepoTags }) => RepoTags).filter((name) => name.startsWith("same/"));
  expect(names).toEqual(["same/a:1", "same/b:1", "same/c:1"]);
  await engine.must("gantry", "rmi", ...names);
});

test("a list that was shown before shows each change", async () => {
  const lines = async () => {
    const [ofFront, ofDocker] = [
      await engine.must("gantry", "images"),
      await engine.must("docker", "images"),
    ];
    expect(ofFront.split("\n").toSorted()).toEqual(ofDocker.split("\n").toSorted());
    return ofFront.split("\n").filter((line) => /^(fresh|renamed|<none>)/.test(line));
  };
  const count = async () => {
    const all = (await engine.json("GET", "/v1.51/images/json")) as {
      Containers: number;
      RepoTags: string[];
    }[];
    return all.find(({ RepoTags }) => RepoTags.includes("fresh:1"))?.Containers;
  };
  const before = await lines();
  await engine.load(
    packImage({ tags: ["fresh:1"], created: "2018-01-01T00:00:00Z", config: {}, layers: [common] }),
  );
  expect(await lines()).toEqual([...before, expect.stringMatching(/^fresh +1 /)]);
  expect(await count()).toBe(0);

  await engine.must("gantry", "create", "--name", "user", "fresh:1", "true");
  expect(await count()).toBe(1);
  await engine.must("gantry", "rm", "user");
  expect(await count()).toBe(0);

  await engine.must("gantry", "tag", "fresh:1", "renamed:1");
  await engine.must("gantry", "rmi", "fresh:1");
  expect(await lines()).toEqual([...before, expect.stringMatching(/^renamed +1 /)]);
  await engine.must("gantry", "tag", "app:old", "renamed:1"); // the image has no name any more
  const dangling = await lines();
  expect(dangling.filter((line) => line.startsWith("<none>"))).toHaveLength(2);
  await engine.must("gantry", "rmi", "renamed:1");
  await engine.must("gantry", "image", "prune", "-f", "--filter", "until=2018-06-01T00:00:00Z");
  expect(await lines()).toEqual(before);
});

test("what an image takes alone and with others", async () => {
  const sizes = "{{.Size}} {{.SharedSize}} {{.UniqueSize}}";
  expect(await engine.must("gantry", "images", "--format", sizes, "web:one")).toBe("2.5kB 2kB 500B");
  const [image] = await engine.json("GET", `/images/json?filters={"reference":["web:one"]}`);
  expect(image).toMatchObject({ SharedSize: -1, RepoTags: ["web:one"] });
});

test("digests of what was pulled, each beside its repository", async () => {
  const text = await engine.must("gantry", "images", "--digests", "--filter", "dangling=true");
  expect(text).toMatch(/^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE\n<none> +<none> +<none> /);
});
