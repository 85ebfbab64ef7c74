import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../fixtures/wait-for.ts";
import { createShell, startShell, useEngine, waitForExit } from "./test-containers.ts";

const holder = useEngine("engine-crash");
const containers = (): Promise<{ Id: string; State: string }[]> =>
  holder.engine.json("GET", "/containers/json?all=1");

/** What the engine holds for containers outside of its own memory, by id. */
async function remains(): Promise<string[]> {
  const { engine } = holder;
  const mounts = (await Bun.file("/proc/self/mountinfo").text())
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  const cgroups = "/sys/fs/cgroup/memory/gantry";
  const known = new Set((await containers()).map(({ Id }) => Id));
  const ours = mounts.filter((path) => path.startsWith(join(engine.root, "snapshots/containers")));
  const directories = readdirSync(join(engine.root, "containers")).filter((name) => !known.has(name));
  const groups = existsSync(cgroups) ? readdirSync(cgroups).filter((name) => started.has(name)) : [];
  const shims = readdirSync(join(engine.state, "shims"));
  return [...ours, ...directories, ...groups, ...shims];
}
const started = new Set<string>();

/** Creates, starts, and now and then removes containers until the engine is gone; tells of each start. */
async function keepBusy(worker: number, onStart: () => void): Promise<void> {
  const { engine } = holder;
  try {
    for (let n = worker; ; n++) {
      const id = await createShell(engine, n % 3 === 0 ? "sleep 1000" : "true", {
        HostConfig: { AutoRemove: n % 2 === 0 },
      });
      started.add(id);
      await engine.json("POST", `/containers/${id}/start`);
      onStart();
      if (n % 3 !== 2) await engine.json("DELETE", `/containers/${id}?force=1`);
    }
  } catch {
    // the engine was killed, or `--rm` was quicker than the removal
  }
}

test("an engine that dies while containers start and end leaves nothing half-made behind", async () => {
  const { engine } = holder;
  for (const starts of [1, 4, 11, 18]) {
    let seen = 0;
    const enough = Promise.withResolvers<void>();
    const workers = [0, 1, 2, 3, 4, 5].map((worker) =>
      keepBusy(worker, () => {
        if (++seen === starts) enough.resolve();
      }),
    );
    await enough.promise;
    await engine.kill("SIGKILL");
    await Promise.all(workers);
    await engine.boot();
  }
  for (const { Id, State } of await containers()) {
    expect(["created", "running", "exited"]).toContain(State);
    await engine.json("DELETE", `/containers/${Id}?force=1`);
  }
  await waitFor("all to be cleaned up", async () => (await remains()).length === 0);
}, 60_000);

test("the exit of a container that ended while no engine ran is known, and published to its waiters", async () => {
  const { engine } = holder;
  const id = await startShell(engine, "while [ ! -e /go ]; do sleep 0.02; done; echo last; exit 33");
  const { GraphDriver } = await engine.json("GET", `/containers/${id}/json`);
  await engine.kill("SIGKILL");
  await Bun.write(`${GraphDriver.Data.MergedDir}/go`, "");
  await waitFor("the container's end", () =>
    existsSync(join(engine.state, "shims", id.slice(0, 32), "exit")),
  );
  await engine.boot();
  expect(await waitForExit(engine, id)).toBe(33);
  const { State } = await engine.json("GET", `/containers/${id}/json`);
  expect(State).toMatchObject({ Status: "exited", ExitCode: 33 });
  await engine.json("POST", `/containers/${id}/start`);
  expect(await waitForExit(engine, id)).toBe(33);
  await engine.json("DELETE", `/containers/${id}`);
});

test("a container whose shim was killed together with the engine has exited", async () => {
  const { engine } = holder;
  const id = await startShell(engine, "sleep 1000");
  const { State } = await engine.json("GET", `/containers/${id}/json`);
  const parent = /^PPid:\s+(\d+)/m.exec(await Bun.file(`/proc/${State.Pid}/status`).text())?.[1];
  await engine.kill("SIGKILL");
  process.kill(Number(parent), "SIGKILL");
  process.kill(State.Pid, "SIGKILL");
  await waitFor("their end", () => !existsSync(`/proc/${State.Pid}`));
  await engine.boot();
  expect((await engine.json("GET", `/containers/${id}/json`)).State).toMatchObject({
    Status: "exited",
    ExitCode: 255,
    Running: false,
  });
  await engine.json("DELETE", `/containers/${id}`);
});

test("two engines never share a root, and the second one says so", async () => {
  const { engine } = holder;
  const second = await engine.gantry([
    "engine",
    "--root",
    engine.root,
    "--state",
    `${engine.state}2`,
    "--host",
    `unix://${engine.socket}2`,
  ]);
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toContain(`another engine uses ${engine.root}`);
  expect((await engine.fetch("GET", "/_ping")).status).toBe(200);
});
