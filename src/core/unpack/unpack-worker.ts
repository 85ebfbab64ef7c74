/**
 * The entry of the Workers that unpack layers; `WorkerPool` starts them. A Worker may have several jobs: while one
 * waits for its download, another goes on.
 */
import { fromErrorMessage, toErrorMessage } from "../../errors/error-message.ts";
import { deferThisThread } from "../../kernel/thread-priority.ts";
import { JobInput } from "./job-input.ts";
import type { FromWorker, InputFile, Task, ToWorker } from "./job-messages.ts";
import { runTask } from "./run-task.ts";

declare const self: Worker;

deferThisThread();

const progressIntervalMs = 100;
/** A fraction of what may be on its way to a Worker. */
const roomBytes = 512 * 1024;
const jobs = new Map<number, JobInput>();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "start":
      void run(data.job, data.task, data.file);
      break;
    case "chunk":
      jobs.get(data.job)?.chunk(data.bytes);
      break;
    case "grown":
      jobs.get(data.job)?.grown(data.size);
      break;
    case "end":
      jobs.get(data.job)?.end();
      break;
    case "abort":
      jobs.get(data.job)?.abort(fromErrorMessage(data.error));
      break;
  }
};

const post = (message: FromWorker) => self.postMessage(message);

async function run(job: number, task: Task, file: InputFile | undefined) {
  let reportedAt = 0;
  let reported = 0;
  const input = new JobInput(file, (consumed) => {
    const now = performance.now();
    // The sender of chunks waits for room, too.
    const makesRoom = file === undefined && consumed - reported >= roomBytes;
    if (!makesRoom && now - reportedAt < progressIntervalMs) return;
    reportedAt = now;
    reported = consumed;
    post({ type: "progress", job, consumed });
  });
  jobs.set(job, input);
  try {
    const result = await runTask(task, input);
    if (file === undefined && input.consumed > reported)
      post({ type: "progress", job, consumed: input.consumed });
    post({ type: "done", job, result });
  } catch (error) {
    post({ type: "failed", job, error: toErrorMessage(error) });
  } finally {
    jobs.delete(job);
  }
}
