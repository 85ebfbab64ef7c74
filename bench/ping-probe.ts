/**
 * A process of its own, before all others that want a processor: what it measures is the engine's time, not its own.
 *
 *   bun bench/ping-probe.ts PAUSE-MS SOCKET…
 *
 * Asks each socket again and again. A line on standard input ends a period: out goes one line, a list of milliseconds for each socket.
 */
import { connect } from "node:net";
import { setPriority } from "node:os";
import { createInterface } from "node:readline";

const [pauseMs = "", ...sockets] = process.argv.slice(2);
const found: number[][] = sockets.map(() => []);

setPriority(-20);
for (const [index, socket] of sockets.entries()) void askForEver(socket, index);
for await (const _ of createInterface(process.stdin)) {
  await Promise.all(sockets.map((_, index) => nextAnswer(index)));
  console.log(JSON.stringify(found));
  for (const times of found) times.length = 0;
}
process.exit(0);

async function askForEver(socket: string, index: number): Promise<never> {
  for (;;) {
    found[index]?.push(await timePing(socket));
    await Bun.sleep(Number(pauseMs));
  }
}

/** So that a ping that hangs is counted where it began. */
async function nextAnswer(index: number): Promise<void> {
  const before = found[index]?.length ?? 0;
  while ((found[index]?.length ?? 0) === before) await Bun.sleep(1);
}

/** One request on a connection of its own, to the first byte of the answer. */
function timePing(socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = Bun.nanoseconds();
    const connection = connect(socket, () => connection.write("GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"));
    connection.once("error", reject);
    connection.once("data", () => {
      resolve((Bun.nanoseconds() - start) / 1e6);
      connection.destroy();
    });
  });
}
