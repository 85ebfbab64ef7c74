/** The entry of the Worker that receives blobs; `ReceiverThread` starts it. */
import { isStorageError } from "../../core/content/file-error.ts";
import { toErrorMessage } from "../../errors/error-message.ts";
import { deferThisThread } from "../../kernel/thread-priority.ts";
import { connectionFault } from "./connection-fault.ts";
import { Connections } from "./connections.ts";
import type { Failure, FromReceiver, Question, ToReceiver } from "./receive-messages.ts";
import { ReceivedFile } from "./received-file.ts";

declare const self: Worker;

deferThisThread();

const connections = new Connections();
const files = new Map<number, ReceivedFile>();
const post = (message: FromReceiver) => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<ToReceiver>) => {
  if (data.type === "cancel") files.get(data.file)?.cancel();
  else void answer(data.file, data.id, data.question);
};

async function answer(number: number, id: number, question: Question): Promise<void> {
  try {
    const answered = await fileOf(number, question).answer(question);
    post({ type: "answer", id, answer: answered });
  } catch (error) {
    post({ type: "failed", id, failure: failureOf(error) });
  }
  if (question.kind === "close") files.delete(number);
}

function fileOf(number: number, question: Question): ReceivedFile {
  const onGrown = (size: number) => post({ type: "grown", file: number, size });
  if (question.kind === "open") files.set(number, new ReceivedFile(connections, question.file, onGrown));
  const file = files.get(number);
  if (file === undefined) throw new Error(`no file ${number} is open`);
  return file;
}

/** Only the store's own errors are ready for users; the others are told by whom they are about. */
function failureOf(error: unknown): Failure {
  if (isStorageError(error)) return { is: "storage", error: toErrorMessage(error) };
  return { is: "connection", ...connectionFault(error) };
}
