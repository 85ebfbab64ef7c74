import { describe, expect, test } from "bun:test";
import { dockerClient } from "../../fixtures/docker-client.ts";
import { clients } from "../../fixtures/engine.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { parseFrames, RawConnection } from "./raw-http.ts";
import { createShell, startShell, useEngine, waitForExit } from "./test-containers.ts";

const holder = useEngine("engine-streams");
const remove = (id: string) => holder.engine.json("DELETE", `/containers/${id}?force=1`);
const allStreams = "stream=1&stdin=1&stdout=1&stderr=1";

describe("attach", () => {
  test("before the start misses nothing, and a half-close is the end of stdin", async () => {
    const id = await createShell(holder.engine, "echo first; cat; echo oops >&2", {
      OpenStdin: true,
      StdinOnce: true,
    });
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/v1.51/containers/${id}/attach?${allStreams}`);
    const head = await connection.head();
    expect(head).toStartWith(
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream",
    );
    connection.write("typed before the start\n");
    await holder.engine.json("POST", `/containers/${id}/start`);
    await connection.seen("typed before the start");
    connection.write("typed later\n");
    connection.halfClose();
    const { stdout, stderr } = parseFrames(await connection.rest());
    expect(stdout).toBe("first\ntyped before the start\ntyped later\n");
    expect(stderr).toBe("oops\n");
    await remove(id);
  });

  test("of a client that leaves before the start is the end of stdin, too", async () => {
    const id = await createShell(holder.engine, "cat; echo ended", { OpenStdin: true, StdinOnce: true });
    {
      await using connection = await RawConnection.open(holder.engine.socket);
      connection.upgrade(`/v1.51/containers/${id}/attach?${allStreams}`);
      await connection.head();
    }
    await holder.engine.json("POST", `/containers/${id}/start`);
    await waitForExit(holder.engine, id);
    await remove(id);
  });

  test("says raw to clients before 1.42", async () => {
    const id = await startShell(holder.engine, "sleep 1000");
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/v1.41/containers/${id}/attach?${allStreams}`);
    expect(await connection.head()).toContain("Content-Type: application/vnd.docker.raw-stream");
    await remove(id);
    await connection.rest(); // the end of the container is the end of the stream
  });

  test("without an Upgrade header is a stream, too", async () => {
    const id = await createShell(holder.engine, "echo plain");
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.request("POST", `/containers/${id}/attach?stream=1&stdout=1`, { Connection: "close" });
    expect(await connection.head()).toContain("Content-Type: application/vnd.docker.raw-stream");
    await holder.engine.json("POST", `/containers/${id}/start`);
    await connection.seen("plain\n");
    await remove(id);
  });

  test("shows what was before, when it is asked to", async () => {
    const id = await startShell(holder.engine, "echo early; sleep 1000");
    await using follower = await RawConnection.open(holder.engine.socket);
    follower.request("GET", `/containers/${id}/logs?stdout=1&follow=1`, { Connection: "close" });
    await follower.seen("early");
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/containers/${id}/attach?logs=1&stdout=1`);
    await connection.head();
    expect(parseFrames(await connection.rest()).stdout).toBe("early\n");
    await remove(id);
  });

  test("detaches at the keys of its request, and the container goes on", async () => {
    const id = await startShell(holder.engine, "cat", { Tty: true, OpenStdin: true, StdinOnce: true });
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/containers/${id}/attach?${allStreams}&detachKeys=x,y`);
    await connection.head();
    connection.write("hello\n");
    await connection.seen("hello");
    connection.write("xy");
    await connection.rest();
    expect((await holder.engine.json("GET", `/containers/${id}/json`)).State.Running).toBe(true);
    await remove(id);
  });
});

describe("exec", () => {
  async function createExec(id: string, config: object): Promise<string> {
    return (await holder.engine.json("POST", `/containers/${id}/exec`, config)).Id;
  }

  test("the exit code is known when the stream ends", async () => {
    const id = await startShell(holder.engine, "sleep 1000");
    for (const exitCode of [0, 3, 77]) {
      const exec = await createExec(id, {
        Cmd: ["sh", "-c", `cat; exit ${exitCode}`],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      });
      await using connection = await RawConnection.open(holder.engine.socket);
      connection.upgrade(`/exec/${exec}/start`, { Detach: false });
      await connection.head();
      connection.write("piped");
      connection.halfClose();
      expect(parseFrames(await connection.rest()).stdout).toBe("piped");
      const found = await holder.engine.json("GET", `/exec/${exec}/json`);
      expect(found).toMatchObject({ Running: false, ExitCode: exitCode, ContainerID: id });
    }
    await remove(id);
  });

  test("a command that cannot be run is told in the stream, as 127", async () => {
    const id = await startShell(holder.engine, "sleep 1000");
    const exec = await createExec(id, { Cmd: ["nosuch"], AttachStdout: true });
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/exec/${exec}/start`, {});
    expect(await connection.head()).toStartWith("HTTP/1.1 101 UPGRADED");
    expect(parseFrames(await connection.rest()).stdout).toBe(
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH\r\n',
    );
    expect((await holder.engine.json("GET", `/exec/${exec}/json`)).ExitCode).toBe(127);
    await remove(id);
  });

  test.each(clients)(
    "%s killed with more input than its process has read is no harm to the engine",
    async (name) => {
      const { engine } = holder;
      const id = await startShell(engine, "sleep 1000");
      const path = name === "gantry" ? gantryPath : (await dockerClient()).path;
      const children = [1, 2, 3].map(() =>
        Bun.spawn([path, "-H", engine.host, "exec", "-i", id, "sleep", "2000"], {
          stdio: [Bun.file("/dev/zero"), "ignore", "ignore"],
        }),
      );
      const sleepers = async (): Promise<string[][]> =>
        (await engine.json("GET", `/containers/${id}/top?ps_args=-eo+pid,args`)).Processes.filter(
          ([, args]: string[]) => args === "sleep 2000",
        );
      const found = await waitFor("the processes", async () => {
        const all = await sleepers();
        return all.length === children.length ? all : undefined;
      });
      await Bun.sleep(100); // their input fills the pipes, the shim's buffer, the engine's
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => child.exited));
      for (const [pid] of found) process.kill(Number(pid), "SIGKILL");
      await waitFor("their end", async () => (await sleepers()).length === 0);
      // What nobody takes is printed by Bun, between the lines of the log.
      expect(await Bun.file(engine.logPath).text()).not.toContain("EPIPE");
      await remove(id);
    },
  );

  test("runs once, and not after its container's end", async () => {
    const id = await startShell(holder.engine, "sleep 1000");
    const exec = await createExec(id, { Cmd: ["true"] });
    await holder.engine.json("POST", `/exec/${exec}/start`, { Detach: true });
    expect((await holder.engine.fetch("POST", `/exec/${exec}/start`, { Detach: true })).status).toBe(409);
    await remove(id);
    expect((await holder.engine.fetch("GET", `/exec/${exec}/json`)).status).toBe(404);
  });
});

describe("logs", () => {
  const logs = async (id: string, query: string): Promise<{ stdout: string; stderr: string }> => {
    const response = await holder.engine.fetch("GET", `/containers/${id}/logs?${query}`);
    return parseFrames(Buffer.from(await response.arrayBuffer()));
  };

  test("are selected by stream, tail and time", async () => {
    const id = await startShell(holder.engine, "echo a; echo b >&2; echo c");
    await waitForExit(holder.engine, id);
    expect(await logs(id, "stdout=1&stderr=1")).toEqual({ stdout: "a\nc\n", stderr: "b\n" });
    expect(await logs(id, "stdout=1")).toEqual({ stdout: "a\nc\n", stderr: "" });
    // Both streams count, and which of two pipes is read first is anybody's guess.
    const { stdout, stderr } = await logs(id, "stdout=1&stderr=1&tail=2");
    expect(`${stdout}${stderr}`.split("\n")).toHaveLength(3);
    expect((await logs(id, "stdout=1&timestamps=1")).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z a\n/);
    expect((await logs(id, "stdout=1&since=4000000000")).stdout).toBe("");
    expect((await holder.engine.fetch("GET", `/containers/${id}/logs`)).status).toBe(400);
    await remove(id);
  });

  test("are followed over rotations to the very end", async () => {
    const lines = 4000;
    const script = `read go; i=0; while [ $i -lt ${lines} ]; do echo $i; i=$((i+1)); done`;
    const id = await createShell(holder.engine, script, {
      OpenStdin: true,
      HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "20k", "max-file": "100" } } },
    });
    await using connection = await RawConnection.open(holder.engine.socket);
    connection.upgrade(`/containers/${id}/attach?stream=1&stdin=1`);
    await connection.head();
    await holder.engine.json("POST", `/containers/${id}/start`);
    const following = logs(id, "stdout=1&follow=1");
    connection.write("go\n");
    const { stdout } = await following;
    expect(stdout).toBe(Array.from({ length: lines }, (_, n) => `${n}\n`).join(""));
    expect((await logs(id, "stdout=1")).stdout).toBe(stdout);
    await remove(id);
  });

  test("of driver none cannot be read", async () => {
    const id = await startShell(holder.engine, "echo a", { HostConfig: { LogConfig: { Type: "none" } } });
    const response = await holder.engine.fetch("GET", `/containers/${id}/logs?stdout=1`);
    expect(response.status).toBe(501);
    expect(await response.text()).toContain("configured logging driver does not support reading");
    await remove(id);
  });
});

test("events tell a short life in Docker's order", async () => {
  const since = Date.now() / 1000;
  const id = await startShell(holder.engine, "exit 4", {
    HostConfig: { AutoRemove: true },
    Labels: { tier: "front" },
  });
  await holder.engine.fetch("POST", `/containers/${id}/wait?condition=removed`).then((reply) => reply.text());
  const until = Date.now() / 1000 + 0.1; // the engine's clock has more digits than ours
  const response = await holder.engine.fetch(
    "GET",
    `/events?since=${since.toFixed(3)}&until=${until.toFixed(3)}`,
  );
  const all = (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const events = all.filter((event) => event.Actor.ID === id || event.Actor.Attributes.container === id);
  expect(events.map((event) => `${event.Type} ${event.Action}`)).toEqual([
    "container create",
    "network connect",
    "container start",
    "container die",
    "network disconnect",
    "container destroy",
  ]);
  expect(events[3]).toMatchObject({
    status: "die",
    id,
    from: "busybox",
    scope: "local",
    Actor: { Attributes: { exitCode: "4", image: "busybox", tier: "front" } },
  });
});
