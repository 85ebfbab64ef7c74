import { expect, test } from "bun:test";
import { getPriority } from "node:os";

test("a deferred thread is behind ordinary ones, the others of its process are not", async () => {
  const program = `
    import { getPriority } from "node:os";
    import { deferThisThread } from ${JSON.stringify(`${import.meta.dirname}/thread-priority.ts`)};
    deferThisThread();
    postMessage(getPriority());
  `;
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: "application/typescript" })));
  const own = getPriority();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  expect(await promise).toBe(Math.min(own + 5, 19));
  expect(getPriority()).toBe(own);
  worker.terminate();
});
