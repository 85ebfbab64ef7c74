import { afterAll, beforeAll } from "bun:test";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** An engine with the image `busybox`, and nothing but its API. */
export function useEngine(name: string): { readonly engine: TestEngine } {
  const holder: { engine?: TestEngine } = {};
  beforeAll(async () => {
    holder.engine = await TestEngine.start({ name });
    await holder.engine.load(await busyboxArchive("busybox:latest"));
  }, 60_000);
  afterAll(async () => {
    await holder.engine?.[Symbol.asyncDispose]();
  }, 60_000);
  return {
    get engine() {
      if (holder.engine === undefined)
        throw new Error("the engine starts before the first test, not earlier");
      return holder.engine;
    },
  };
}

/** Creates a container that runs a shell script; returns its id. */
export async function createShell(engine: TestEngine, script: string, body: object = {}): Promise<string> {
  const created = await engine.json("POST", "/containers/create", {
    Image: "busybox",
    Cmd: ["sh", "-c", script],
    ...body,
  });
  return created.Id;
}

export async function startShell(engine: TestEngine, script: string, body: object = {}): Promise<string> {
  const id = await createShell(engine, script, body);
  await engine.json("POST", `/containers/${id}/start`);
  return id;
}

/** The same for a script that says `ready` when it is (its traps are set, say): a signal before that is lost. */
export async function startReady(engine: TestEngine, script: string, body: object = {}): Promise<string> {
  const id = await startShell(engine, script, body);
  await untilReady(engine, id);
  return id;
}

export async function untilReady(engine: TestEngine, id: string, times = 1): Promise<void> {
  await waitFor("the script to be ready", async () => {
    const response = await engine.fetch("GET", `/containers/${id}/logs?stdout=1`);
    return (await response.text()).split("ready").length > times;
  });
}

export const waitForExit = async (engine: TestEngine, id: string): Promise<number> =>
  (await engine.json("POST", `/containers/${id}/wait`)).StatusCode;
