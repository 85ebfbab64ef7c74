import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";

const reason = runtimeMissing();

describe.skipIf(reason !== undefined)(`many containers${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const runOne = (index: number) =>
    runtime.run([
      "run",
      "--bundle",
      runtime.bundle(["sh", "-c", `echo ${index}; exit ${index % 7}`]),
      `many${index}`,
    ]);

  test("100 one after the other leave nothing", async () => {
    for (let index = 0; index < 100; index++)
      expect(await runOne(index)).toMatchObject({ exitCode: index % 7, stdout: `${index}\n` });
    expect(runtime.leftovers()).toEqual([]);
  }, 60_000);

  test("30 at the same time leave nothing", async () => {
    const results = await Promise.all(Array.from({ length: 30 }, (_, index) => runOne(1000 + index)));
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${1000 + index}\n`));
    expect(results.map(({ exitCode }) => exitCode)).toEqual(results.map((_, index) => (1000 + index) % 7));
    expect(runtime.leftovers()).toEqual([]);
  }, 60_000);
});
