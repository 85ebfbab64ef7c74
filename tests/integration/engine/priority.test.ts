import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { busyboxArchive } from "../../fixtures/images.ts";
import { startShell, useEngine } from "./test-containers.ts";

const holder = useEngine("engine-priority");

interface Thread {
  readonly name: string;
  readonly nice: number;
}

/** proc_pid_stat(5); the name may hold anything, so fields count from its closing parenthesis. */
function threadOf(pid: number, thread = pid): Thread {
  const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
  const end = stat.lastIndexOf(")");
  return { name: stat.slice(stat.indexOf("(") + 1, end), nice: Number(stat.slice(end + 2).split(" ")[16]) };
}

const threadsOf = (pid: number): Thread[] =>
  readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .filter((thread) => thread !== pid)
    .map((thread) => threadOf(pid, thread));

const isWorker = ({ name }: Thread) => ["unpack", "gzip", "receive"].includes(name);

test("the engine's event loop goes first, its Workers last; other threads and containers are like everybody", async () => {
  const { engine } = holder;
  const id = await startShell(engine, "sleep 1000");
  const { Pid: container } = (await engine.json("GET", `/containers/${id}/json`)).State;
  const shim = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${container}/status`, "latin1"))?.[1]);
  await engine.load(await busyboxArchive("busybox:latest")); // by a Worker, which then waits for more
  const threads = threadsOf(engine.pid);
  const wrong = threads.filter((thread) => thread.nice !== (isWorker(thread) ? 5 : 0));
  expect(threadOf(engine.pid).nice).toBe(-10);
  expect(threads.filter(isWorker)).not.toEqual([]);
  expect(wrong).toEqual([]);
  expect([threadOf(shim).nice, threadOf(container).nice]).toEqual([0, 0]);
  await engine.json("DELETE", `/containers/${id}?force=1`);
});
