import { describe, expect, test } from "bun:test";
import { packTar } from "../../../scripts/image-archive.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { clients } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("w6", ["busybox"], { args: ["--max-concurrent-downloads", "5"] });

describe.each(clients)("W6 layers, with %s", (client) => {
  const layers = ["one", "two", "three", "four", "five", "six"].map((name) =>
    packTar([{ name, content: `${name} of ${client}` }]),
  );
  const five = layers.slice(0, 5);

  test("five layers come at the same time; of an image on top of them only the sixth comes", async () => {
    const { engine } = machine;
    await using registry = await FaultyRegistry.start("hold", five);
    const pull = engine.must(client, "pull", registry.reference);
    const askedFor = (layer: Uint8Array) =>
      registry.requests.some((request) => request.includes(digestOf(layer)));
    await waitFor("five requests, of which none is answered", () => Promise.resolve(five.every(askedFor)));
    registry.fault = "none";
    expect((await pull).match(/^[0-9a-f]{12}: Pull complete$/gm)).toHaveLength(5);
    const diffIds = await engine.must(
      client,
      "image",
      "inspect",
      "-f",
      "{{json .RootFS.Layers}}",
      registry.reference,
    );
    expect(JSON.parse(diffIds)).toEqual(five.map((layer) => digestOf(layer)));

    await using second = await FaultyRegistry.start("none", layers);
    const lines = await engine.must(client, "pull", second.reference);
    expect(lines.match(/^[0-9a-f]{12}: Already exists$/gm)).toHaveLength(5);
    expect(lines.match(/^[0-9a-f]{12}: Pull complete$/gm)).toHaveLength(1);
    expect(
      second.requests.filter((request) => five.some((layer) => request.includes(digestOf(layer)))),
    ).toEqual([]);
    await engine.must(client, "rmi", registry.reference, second.reference);
  });

  test("a file that a later layer deletes stays in its own; made and deleted in one step it is nowhere", async () => {
    const { engine } = machine;
    const step = async (from: string, script: string, to: string) => {
      const id = await engine.must(client, "create", from, "sh", "-c", script);
      await engine.must(client, "start", "-a", id);
      await engine.must(client, "commit", id, to);
      await engine.must(client, "rm", id);
    };
    const history = async (name: string) =>
      (
        await engine.must(client, "history", "--no-trunc", "--format", "{{.CreatedBy}}: {{.Size}}", name)
      ).split("\n");
    await step("busybox", "truncate -s 10M f", `${client}/made`);
    await step(`${client}/made`, "rm f", `${client}/deleted`);
    await step("busybox", "truncate -s 10M f && rm f", `${client}/both`);
    const base = await history("busybox");
    expect(await history(`${client}/deleted`)).toEqual([
      "sh -c rm f: 0B",
      "sh -c truncate -s 10M f: 10.5MB",
      ...base,
    ]);
    expect(await history(`${client}/both`)).toEqual(["sh -c truncate -s 10M f && rm f: 0B", ...base]);
    expect((await engine[client](["run", "--rm", `${client}/deleted`, "ls", "f"])).exitCode).toBe(1);
    await engine.must(client, "rmi", `${client}/made`, `${client}/deleted`, `${client}/both`);
  });
});
