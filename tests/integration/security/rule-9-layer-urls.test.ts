import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { mediaTypes } from "../../../src/formats/oci-image.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { pushImage } from "../pull/push-image.ts";
import { GantryRegistry } from "../registry-server/gantry-registry.ts";

/** A service that only this machine can reach; it counts who knocks. */
let inside: Server;
let connections = 0;
let registry: GantryRegistry;
let engine: TestEngine;
let port: number;
/** A server that the operator allows, and that sends everybody on to the service. */
let outside: Bun.Server<undefined>;
beforeAll(async () => {
  inside = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {}).end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  inside.listen(0, resolve);
  await promise;
  const address = inside.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  outside = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => Response.redirect(decodeURIComponent(new URL(url).pathname.slice(1))),
  });
  registry = await GantryRegistry.start();
  engine = await TestEngine.start({
    name: "rule-9",
    args: ["--layer-url-host", `http://127.0.0.1:${outside.port}`],
  });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await outside?.stop(true);
  inside?.close();
}, 30_000);

const hosts = ["127.0.0.1", "2130706433", "0x7f.1", "0.0.0.0", "localhost", "[::1]", "[::ffff:127.0.0.1]"];

test.each(["http", "https"].flatMap((scheme) => hosts.map((host) => [scheme, host] as const)))(
  "a layer at %s://%s of this machine is not asked for, nor where a redirect leads there",
  async (scheme, host) => {
    const url = `${scheme}://${host}:${port}/`;
    const name = `app-${scheme}-${host.replace(/\W/g, "")}`;
    await pushImage(registry.host, name, "1", {
      layers: [[{ name: "file", content: name }]],
      ...{ compression: "gzip", format: "docker" },
      foreign: {
        layerType: mediaTypes.dockerForeignLayerGzip,
        urls: [url, `http://127.0.0.1:${outside.port}/${encodeURIComponent(url)}`],
        keep: () => undefined,
      },
    });
    const { exitCode, stderr } = await engine.gantry(["pull", `${registry.host}/${name}:1`]);
    expect(exitCode).toBe(1);
    expect(stderr.match(/ is not asked: /g)).toHaveLength(2);
    expect(connections).toBe(0);
  },
);
