/**
 * A process of its own, before all others that want a processor: what it measures is the engine's time, not its own.
 *
 *   bun bench/ping-probe.ts PAUSE-MS SOCKET…
 *
 * Asks all sockets at the same moment, again and again. A line on standard input ends a period: out goes one line, a list of moments,
 * each a list of milliseconds by socket.
 */
import { connect } from "node:net";
import { setPriority } from "node:os";
import { createInterface } from "node:readline";

const [pauseMs = "", ...sockets] = process.argv.slice(2);
let found: number[][] = [];
let wanted = Promise.withResolvers<void>();

setPriority(-20);
void askForEver();
for await (const _ of createInterface(process.stdin)) {
  wanted = Promise.withResolvers();
  await wanted.promise; // a ping that hangs is counted where it began
  console.log(JSON.stringify(found));
  found = [];
}
process.exit(0);

async function askForEver(): Promise<never> {
  for (;;) {
    found.push(await Promise.all(sockets.map(timePing)));
    wanted.resolve();
    await Bun.sleep(Number(pauseMs));
  }
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
