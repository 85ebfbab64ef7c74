import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { startShell, useEngine } from "./test-containers.ts";

const holder = useEngine("engine-priority");

/** proc_pid_stat(5); the name before may hold anything, so fields count from its closing parenthesis. */
function niceOf(pid: number, thread = pid): number {
  const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

test("the engine's event loop goes first; its other threads and the containers are like everybody", async () => {
  const { engine } = holder;
  const id = await startShell(engine, "sleep 1000");
  const { Pid: container } = (await engine.json("GET", `/containers/${id}/json`)).State;
  const shim = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${container}/status`, "latin1"))?.[1]);
  const others = readdirSync(`/proc/${engine.pid}/task`)
    .map(Number)
    .filter((thread) => thread !== engine.pid);
  expect(niceOf(engine.pid)).toBe(-10);
  expect(others.length).toBeGreaterThan(0);
  expect(others.map((thread) => niceOf(engine.pid, thread)).filter((nice) => nice !== 0)).toEqual([]);
  expect([niceOf(shim), niceOf(container)]).toEqual([0, 0]);
  await engine.json("DELETE", `/containers/${id}?force=1`);
});
