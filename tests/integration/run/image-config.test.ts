import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";

/** All fields of the OCI image-spec, "Image Configuration", that a runner heeds, and one that nobody knows. */
const config = {
  User: "worker",
  ExposedPorts: { "80/tcp": {}, "53/udp": {}, "9": {} },
  Env: ["PATH=/bin", "EMPTY=", "SPACED=a  b"],
  Entrypoint: ["/bin/sh", "-c"],
  Cmd: [
    'id; pwd; echo "$SPACED"; env | grep EMPTY; trap "echo asked; exit 7" USR1; while true; do sleep 0.02; done',
  ],
  WorkingDir: "/work/deep",
  Labels: { "org.example.label": "value" },
  StopSignal: "SIGUSR1",
  ArgsEscaped: true,
  "org.example.unknown": { ignored: true },
};

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start({ name: "image-config" });
  const users = packTar([
    { name: "etc/passwd", content: "root:x:0:0:::/bin/sh\nworker:x:1234:56:::/bin/sh\n" },
    { name: "etc/group", content: "root:x:0:\nown:x:56:\nmore:x:57:worker\nothers:x:58:root\n" },
  ]);
  await engine.load(packImage({ tags: ["whole:1"], layers: [packTar(await busyboxFiles()), users], config }));
}, 60_000);
afterAll(() => engine?.[Symbol.asyncDispose]());

describe.each(clients)("an image's configuration, with %s", (client) => {
  test("is the container's: user with groups, directory, variables, command and signal", async () => {
    const id = await engine.must(client, "run", "-d", "whole:1");
    await engine.must(client, "stop", id);
    const lines = (await engine.must(client, "logs", id)).split("\n");
    expect(lines).toEqual([
      "uid=1234(worker) gid=56(own) groups=56(own),57(more)",
      "/work/deep",
      "a  b",
      "EMPTY=",
      "asked",
    ]);
    const [{ Config, State }] = JSON.parse(await engine.must(client, "inspect", id));
    expect(State.ExitCode).toBe(7);
    expect(Object.keys(Config.ExposedPorts).sort()).toEqual(["53/udp", "80/tcp", "9/tcp"]);
    expect(Config.Labels).toEqual({ "org.example.label": "value" });
    await engine.must(client, "rm", id);
  });

  test("gives way to what the user asks for", async () => {
    const own = ["-u", "0:58", "-w", "/tmp", "-e", "EMPTY=no", "--entrypoint", "/bin/echo"];
    expect(await engine.must(client, "run", "--rm", ...own, "whole:1", "mine")).toBe("mine");
    const shell = "id -u; id -G; pwd; echo $EMPTY";
    const printed = await engine.must(client, "run", "--rm", ...own.slice(0, 6), "whole:1", shell);
    expect(printed.split("\n")).toEqual(["0", "58", "/tmp", "no"]);
  });
});
