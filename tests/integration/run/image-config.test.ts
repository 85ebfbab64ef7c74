import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** All fields of the OCI image-spec, "Image Configuration", that a runner heeds, and one that nobody knows. */
const config = {
  User: "worker",
  ExposedPorts: { "80/tcp": {}, "53/udp": {}, "9": {} },
  Env: ["PATH=/bin", "EMPTY=", "SPACED=a  b"],
  Entrypoint: ["/bin/sh", "-c"],
  Cmd: [
    'id; pwd; echo "$SPACED"; env | grep EMPTY; trap "echo asked; exit 7" USR1; echo ready; while true; do sleep 0.02; done',
  ],
  WorkingDir: "/made/deep",
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
    await waitFor("the trap", async () => (await engine.must(client, "logs", id)).endsWith("ready"));
    await engine.must(client, "stop", id);
    const lines = (await engine.must(client, "logs", id)).split("\n");
    expect(lines).toEqual([
      "uid=1234(worker) gid=56(own) groups=56(own),57(more)",
      "/made/deep",
      "a  b",
      "EMPTY=",
      "ready",
      "asked",
    ]);
    const [{ Config, State }] = JSON.parse(await engine.must(client, "inspect", id));
    expect(State.ExitCode).toBe(7);
    expect(Config.ExposedPorts).toEqual({ "80/tcp": {}, "53/udp": {}, "9/tcp": {} });
    expect(Config.Labels).toEqual({ "org.example.label": "value" });
    await engine.must(client, "rm", id);
  });

  test("names the ports that -P publishes; one without a protocol is for TCP", async () => {
    const id = await engine.must(client, "run", "-d", "-P", "whole:1");
    const ports = await engine.must(client, "inspect", "-f", "{{json .NetworkSettings.Ports}}", id);
    const free = [{ HostIp: "0.0.0.0", HostPort: expect.stringMatching(/^\d+$/) }];
    expect(JSON.parse(ports)).toEqual({ "53/udp": free, "80/tcp": free, "9/tcp": free });
    await engine.must(client, "rm", "-f", id);
  });

  test("gives way to what the user asks for", async () => {
    const own = ["-u", "0:58", "-w", "/tmp", "-e", "EMPTY=no", "--entrypoint", "/bin/echo"];
    expect(await engine.must(client, "run", "--rm", ...own, "whole:1", "mine")).toBe("mine");
    const shell = "id -u; id -G; pwd; echo $EMPTY";
    const printed = await engine.must(client, "run", "--rm", ...own.slice(0, 6), "whole:1", shell);
    expect(printed.split("\n")).toEqual(["0", "58", "/tmp", "no"]);
  });
});
