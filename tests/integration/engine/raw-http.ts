import { connect, type Socket } from "node:net";

/** A connection on which a test writes and reads HTTP byte by byte, as no client library would let it. */
export class RawConnection implements AsyncDisposable {
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static open(path: string): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawConnection(socket)));
    });
  }

  /** Sends a request; `body` is JSON. */
  request(method: string, path: string, headers: Record<string, string> = {}, body?: unknown): void {
    const text = body === undefined ? "" : JSON.stringify(body);
    const own = body === undefined ? {} : { "Content-Type": "application/json" };
    const all = { Host: "d", ...own, "Content-Length": String(text.length), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${text}`);
  }

  /** Asks for the connection itself, as Docker's clients do for attach and exec. */
  upgrade(path: string, body?: unknown): void {
    this.request("POST", path, { Connection: "Upgrade", Upgrade: "tcp" }, body);
  }

  write(bytes: string): void {
    this.socket.write(bytes);
  }

  /** Ends our direction only. */
  halfClose(): void {
    this.socket.end();
  }

  /** The reply's head, without the empty line behind it. */
  async head(): Promise<string> {
    await this.#until(() => this.#received.includes("\r\n\r\n"));
    const end = this.#received.indexOf("\r\n\r\n");
    const head = this.#received.subarray(0, end).toString();
    this.#received = this.#received.subarray(end + 4);
    return head;
  }

  /** What has come since the head, as soon as it contains `text`. */
  async seen(text: string): Promise<void> {
    await this.#until(() => this.#received.includes(text));
  }

  /** All that comes until the other side ends. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.#ended);
    return this.#received;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#ended)
        throw new Error(`the connection ended after ${JSON.stringify(this.#received.toString())}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

/** Docker's frames, joined by stream. */
export function parseFrames(bytes: Buffer): { stdout: string; stderr: string } {
  const texts = { stdout: "", stderr: "" };
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    const payload = bytes.subarray(at + 8, at + 8 + length).toString();
    texts[bytes[at] === 2 ? "stderr" : "stdout"] += payload;
    at += 8 + length;
  }
  return texts;
}
