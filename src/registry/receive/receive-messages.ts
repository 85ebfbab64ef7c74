import type { ExpectedBlob } from "../../core/content/contract.ts";
import type { ErrorMessage } from "../../errors/error-message.ts";
import type { Digest } from "../../formats/digest.ts";
import type { PlainGet, PlainHead } from "../../wire/body-receiver.ts";
import type { ConnectionFault } from "./connection-fault.ts";

/** `fd` is the sender's, who closes it after the file was closed here. */
export interface OpenFile {
  readonly fd: number;
  readonly offset: number;
  readonly expected: ExpectedBlob;
}

/** What is asked of a file. Each question gets an answer, in any order. */
export type Question =
  | { readonly kind: "open"; readonly file: OpenFile }
  | { readonly kind: "get"; readonly request: PlainGet }
  | { readonly kind: "next" }
  | { readonly kind: "append"; readonly skip: number }
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  | { readonly kind: "finish" }
  | { readonly kind: "close" };

export type QuestionOf<K extends Question["kind"]> = Extract<Question, { readonly kind: K }>;

export interface Answers {
  readonly open: undefined;
  readonly get: PlainHead;
  readonly next: Uint8Array | undefined;
  readonly append: undefined;
  readonly write: undefined;
  readonly finish: { readonly size: number; readonly digest: Digest };
  readonly close: undefined;
}

/** What the file met, or what a connection threw with its code. */
export type Failure =
  | { readonly is: "storage"; readonly error: ErrorMessage }
  | ({ readonly is: "connection" } & ConnectionFault);

/** To the Worker. `file` numbers are given by the sender. */
export type ToReceiver =
  | { readonly type: "ask"; readonly file: number; readonly id: number; readonly question: Question }
  /** Gives up the running request. */
  | { readonly type: "cancel"; readonly file: number };

export type FromReceiver =
  | { readonly type: "answer"; readonly id: number; readonly answer: Answers[Question["kind"]] }
  | { readonly type: "failed"; readonly id: number; readonly failure: Failure }
  /** So many bytes of the file can be read. Comes before the answer to the question that made it grow. */
  | { readonly type: "grown"; readonly file: number; readonly size: number };
