/** The entry of the Workers that compress a layer's pieces; `GzipCrew` starts them. Answers come in the order of the pieces. */
import { deferThisThread } from "../../kernel/thread-priority.ts";
import { gzipPiece } from "./gzip-piece.ts";

declare const self: Worker;

deferThisThread();

self.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer>>) => {
  const member = gzipPiece(data);
  self.postMessage(member, [member.buffer]);
};
