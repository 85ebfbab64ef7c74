import { expect, test } from "bun:test";
import { packTar } from "../../../scripts/image-archive.ts";
import { type Fault, FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("faulty-registry", []);

async function startFaulty(fault: Fault): Promise<FaultyRegistry> {
  return FaultyRegistry.start(fault, [packTar(await busyboxFiles())]);
}

/** Nothing of the image is left in the engine's lists or below its root. */
async function expectNothingLeft(): Promise<void> {
  expect(await machine.engine.json("GET", "/images/json")).toEqual([]);
}

test.each([
  ["cut", /unexpected end|EOF|closed|broke/i],
  ["wrong-bytes", /digest|sha256/i],
  ["unavailable", /503|Service Unavailable/i],
] as const)(
  "a registry with the fault %s is named in the error, and nothing is left",
  async (fault, cause) => {
    await using registry = await startFaulty(fault);
    const result = await machine.engine.gantry(["pull", registry.reference]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(cause);
    await expectNothingLeft();

    registry.fault = "none";
    await machine.engine.must("gantry", "pull", registry.reference);
    const run = await machine.engine.gantry(["run", "--rm", registry.reference, "/bin/true"]);
    expect(run).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    await machine.engine.must("gantry", "rmi", registry.reference);
  },
  60_000,
);

test("a download that breaks off once is resumed where it stopped", async () => {
  await using registry = await startFaulty("cut-once");
  await machine.engine.must("gantry", "pull", registry.reference);
  expect(registry.requests.some((request) => / bytes=[1-9]\d*-/.test(request))).toBe(true);
  await machine.engine.must("gantry", "rmi", registry.reference);
});

test("a pull that the client gives up is given up by the engine", async () => {
  const { engine } = machine;
  await using registry = await startFaulty("stall");
  const abort = new AbortController();
  const path = `/images/create?fromImage=${encodeURIComponent(`${registry.host}/test`)}&tag=latest`;
  const pull = fetch(`http://localhost${path}`, {
    unix: engine.socket,
    method: "POST",
    signal: abort.signal,
  });
  pull.then((response) => response.text()).catch(() => undefined);
  await waitFor("the request for a blob", () =>
    registry.requests.some((request) => request.includes("/blobs/")),
  );
  expect(registry.abandoned).toBe(0);
  abort.abort();
  await waitFor("the end of that request", () => registry.abandoned > 0);
  await expectNothingLeft();
});
