import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { RawConnection } from "./raw-http.ts";
import {
  createShell,
  startReady,
  startShell,
  untilReady,
  useEngine,
  waitForExit,
} from "./test-containers.ts";

const holder = useEngine("engine-lifecycle");
const status = async (method: string, path: string, body?: unknown): Promise<number> =>
  (await holder.engine.fetch(method, path, body)).status;
const inspect = (id: string) => holder.engine.json("GET", `/containers/${id}/json`);
const remove = (id: string) => holder.engine.json("DELETE", `/containers/${id}?force=1`);

test("what is so already is 304, and what cannot be is 409", async () => {
  const id = await createShell(holder.engine, "sleep 1000");
  expect(await status("POST", `/containers/${id}/stop`)).toBe(304);
  expect(await status("POST", `/containers/${id}/kill`)).toBe(409);
  expect(await status("POST", `/containers/${id}/pause`)).toBe(409);
  expect(await status("POST", `/containers/${id}/resize?h=1&w=1`)).toBe(409);
  expect(await status("POST", `/containers/${id}/exec`, { Cmd: ["true"] })).toBe(409);
  expect(await status("POST", `/containers/${id}/start`)).toBe(204);
  expect(await status("POST", `/containers/${id}/start`)).toBe(304);
  expect(await status("DELETE", `/containers/${id}`)).toBe(409);
  expect(await status("POST", `/containers/${id}/pause`)).toBe(204);
  expect(await status("POST", `/containers/${id}/pause`)).toBe(409);
  expect(await status("POST", `/containers/${id}/start`)).toBe(409);
  expect(await status("POST", `/containers/${id}/exec`, { Cmd: ["true"] })).toBe(409);
  expect(await status("POST", `/containers/${id}/unpause`)).toBe(204);
  expect(await status("POST", `/containers/${id}/kill`)).toBe(204);
  expect((await inspect(id)).State).toMatchObject({ Status: "exited", ExitCode: 137, Pid: 0 });
  expect(await status("DELETE", `/containers/${id}`)).toBe(204);
  expect(await status("DELETE", `/containers/${id}`)).toBe(404);
});

test("a paused container can be killed", async () => {
  const id = await startShell(holder.engine, "sleep 1000");
  await holder.engine.json("POST", `/containers/${id}/pause`);
  expect(await status("POST", `/containers/${id}/kill`)).toBe(204);
  expect((await inspect(id)).State.Status).toBe("exited");
  await remove(id);
});

test("stop asks with the container's own signal, and kills after the timeout", async () => {
  const polite = await startReady(
    holder.engine,
    "trap 'exit 3' USR1; echo ready; while :; do sleep 0.05; done",
    {
      StopSignal: "SIGUSR1",
    },
  );
  await holder.engine.json("POST", `/containers/${polite}/stop`);
  expect((await inspect(polite)).State.ExitCode).toBe(3);
  const deaf = await startReady(holder.engine, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
  await holder.engine.json("POST", `/containers/${deaf}/stop?t=0`);
  expect((await inspect(deaf)).State.ExitCode).toBe(137);
  await Promise.all([polite, deaf].map(remove));
});

test("a restart is a new process on the same writable layer", async () => {
  const id = await startShell(
    holder.engine,
    "echo x >> /runs; trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done",
  );
  const first = await inspect(id);
  await holder.engine.json("POST", `/containers/${id}/restart`);
  const second = await inspect(id);
  expect(second.State.Running).toBe(true);
  expect(second.State.Pid).not.toBe(first.State.Pid);
  expect(await Bun.file(`${second.GraphDriver.Data.UpperDir}/runs`).text()).toBe("x\nx\n");
  await remove(id);
});

test("a `--rm` container survives its restart, not its end", async () => {
  const script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";
  const id = await startReady(holder.engine, script, { HostConfig: { AutoRemove: true } });
  await holder.engine.json("POST", `/containers/${id}/restart`);
  expect((await inspect(id)).State.Running).toBe(true);
  await untilReady(holder.engine, id, 2);
  await holder.engine.json("POST", `/containers/${id}/stop`);
  expect(await status("GET", `/containers/${id}/json`)).toBe(404);
});

describe("waiting", () => {
  test("the header comes before the exit, for each condition the right moment", async () => {
    const id = await createShell(holder.engine, "exit 6", { HostConfig: { AutoRemove: true } });
    const conditions = ["not-running", "next-exit", "removed"];
    const connections = await Promise.all(conditions.map(() => RawConnection.open(holder.engine.socket)));
    for (const [index, connection] of connections.entries()) {
      connection.request("POST", `/containers/${id}/wait?condition=${conditions[index]}`, {
        Connection: "close",
      });
      expect(await connection.head()).toStartWith("HTTP/1.1 200 OK");
    }
    const [notRunning, nextExit, removed] = connections.map((connection) => connection.rest());
    expect(String(await notRunning)).toContain('{"StatusCode":0}'); // it never ran
    await holder.engine.json("POST", `/containers/${id}/start`);
    expect(String(await nextExit)).toContain('{"StatusCode":6}');
    expect(String(await removed)).toContain('{"StatusCode":6}');
    expect(await status("GET", `/containers/${id}/json`)).toBe(404);
  });

  test("an unknown condition is refused", async () => {
    const id = await createShell(holder.engine, "true");
    expect(await status("POST", `/containers/${id}/wait?condition=someday`)).toBe(400);
    await remove(id);
  });
});

describe("a start that fails", () => {
  test("leaves a container in state created, with the reason and nothing mounted", async () => {
    const { Id } = await holder.engine.json("POST", "/containers/create", {
      Image: "busybox",
      Cmd: ["nosuch"],
    });
    const response = await holder.engine.fetch("POST", `/containers/${Id}/start`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('exec: \\"nosuch\\": executable file not found in $PATH');
    const { State, GraphDriver } = await inspect(Id);
    expect(State).toMatchObject({ Status: "created", ExitCode: 127, Pid: 0, Running: false });
    expect(State.Error).toContain("nosuch");
    expect(existsSync(`${GraphDriver.Data.MergedDir}/bin`)).toBe(false);
    await remove(Id);
  });

  test("removes a `--rm` container", async () => {
    const { Id } = await holder.engine.json("POST", "/containers/create", {
      Image: "busybox",
      Cmd: ["nosuch"],
      HostConfig: { AutoRemove: true },
    });
    expect(await status("POST", `/containers/${Id}/start`)).toBe(400);
    expect(await status("GET", `/containers/${Id}/json`)).toBe(404);
  });
});

test("forty containers at a time start, end and leave nothing", async () => {
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      startShell(holder.engine, `exit ${n}`, {
        HostConfig: { NetworkMode: n % 2 === 0 ? "default" : "none" },
      }),
    ),
  );
  expect(await Promise.all(ids.map((id) => waitForExit(holder.engine, id)))).toEqual([...ids.keys()]);
  await Promise.all(ids.map((id) => holder.engine.json("DELETE", `/containers/${id}`)));
  const mounts = await Bun.file("/proc/self/mountinfo").text();
  expect(ids.filter((id) => mounts.includes(id))).toEqual([]);
  expect(ids.filter((id) => existsSync(`/sys/fs/cgroup/memory/gantry/${id}`))).toEqual([]);
});
