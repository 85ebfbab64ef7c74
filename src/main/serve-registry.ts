import { rmSync } from "node:fs";
import type { Server } from "node:http";
import { messageOf, systemError } from "../errors/platform-error.ts";
import type { Log } from "../log/log.ts";
import { createRegistryServer } from "../registry/server/create-registry-server.ts";
import { Collector } from "../registry/server/gc/collector.ts";
import type { Registry } from "../registry/server/registry.ts";
import { composeRegistryAuth } from "./compose-registry-auth.ts";
import { readRegistryTls } from "./read-registry-tls.ts";
import { adminSocketPath, serveAdmin } from "./registry-admin.ts";
import type { RegistryOptions } from "./registry-options.ts";
import { scheduleCollections } from "./schedule-collections.ts";

export interface ServedRegistry {
  /** Reads users, rights and keys of tokens again. A file that is wrong changes nothing, and is logged. */
  reload(): void;
  close(): void;
}

/** Serves an opened registry until it is closed. Errors: System naming the address or the file. */
export async function serveRegistry(
  opened: Registry,
  options: RegistryOptions,
  log: Log,
): Promise<ServedRegistry> {
  const { root, readOnly } = options;
  const cache = await openCache(opened, options, log);
  const registry = { ...opened, ...(cache && { cache }) };
  const tls = options.tls && readRegistryTls(options.tls);
  const readAuth = () => composeRegistryAuth(options.auth, { root, scheme: tls ? "https" : "http" });
  let auth = readAuth();
  const server = createRegistryServer({ registry, log, auth: () => auth, readOnly, tls });
  const port = await listen(server, options);
  if (options.exposed) {
    console.error("WARNING: --insecure: this registry serves other machines without TLS.");
    console.error("WARNING: everybody on the way can read and change passwords, images and answers.");
  }
  const collector = new Collector(registry, log);
  const admin = await serveAdmin(root, collector, log);
  const collections = scheduleCollections(collector, options);
  const { kind } = options.auth;
  log.info("registry.listening", {
    host: options.host ?? "*",
    port,
    tls: tls !== undefined,
    login: kind,
    readOnly,
    root,
  });
  return {
    reload: () => {
      try {
        auth = readAuth();
        log.info("registry.reloaded", {});
      } catch (error) {
        log.error("registry.reload-failed", { message: messageOf(error) });
      }
    },
    close: () => {
      collections[Symbol.dispose]();
      cache?.close();
      for (const each of [server, admin]) {
        each?.closeAllConnections();
        each?.close();
      }
      rmSync(adminSocketPath(root), { force: true });
    },
  };
}

async function openCache(registry: Registry, { proxy }: RegistryOptions, log: Log) {
  if (proxy === undefined) return undefined;
  const { composeRegistryCache } = await import("./compose-registry-cache.ts");
  return composeRegistryCache(registry, proxy, log);
}

/** Out: the port. Errors: System naming the address. */
function listen(server: Server, { host, port }: RegistryOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${host ?? "*"}:${port}`;
      const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      const hint = isTaken ? "end who uses it, or choose another port" : undefined;
      const why = isTaken ? "it is in use" : messageOf(error);
      reject(systemError(`listen on ${where}: ${why}`, { cause: error, hint }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
