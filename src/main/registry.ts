import { mkdirSync, writeSync } from "node:fs";
import type { Server } from "node:http";
import { messageOf, PlatformError, systemError } from "../errors/platform-error.ts";
import { createLog } from "../log/log.ts";
import { createRegistryServer } from "../registry/server/create-registry-server.ts";
import { openRegistry } from "../registry/server/registry.ts";
import { composeRegistryAuth } from "./compose-registry-auth.ts";
import { lockDirectory } from "./directory-lock.ts";
import { readText } from "./read-text.ts";
import { parseRegistryOptions, type RegistryOptions, registryHelp } from "./registry-options.ts";

const stderr = 2;

/** `gantry registry serve`. Runs until SIGTERM or SIGINT; out: the exit code. */
export async function runRegistry(argv: readonly string[]): Promise<number> {
  try {
    const [verb, ...rest] = argv;
    const options = verb === "serve" ? parseRegistryOptions(rest) : undefined;
    if (options) return await serve(options);
    const asked = verb === "serve" || verb === "--help" || verb === undefined;
    (asked ? process.stdout : process.stderr).write(registryHelp);
    return asked ? 0 : 1;
  } catch (error) {
    console.error(`gantry registry: ${messageOf(error)}`);
    if (error instanceof PlatformError && error.hint) console.error(`hint: ${error.hint}`);
    return 1;
  }
}

async function serve(options: RegistryOptions): Promise<number> {
  const log = createLog(options.logLevel, (line) => writeSync(stderr, line));
  const tls = options.tls && { cert: readText(options.tls.cert), key: readText(options.tls.key) };
  mkdirSync(options.root, { recursive: true, mode: 0o700 });
  lockDirectory(options.root, "registry");
  const registry = await openRegistry(options.root);
  const auth = composeRegistryAuth(options.auth, { root: options.root, scheme: tls ? "https" : "http" });
  const server = createRegistryServer({ registry, log, ...auth, readOnly: options.readOnly, tls });
  const stopped = stopSignal();
  const port = await listen(server, options);
  if (options.exposed) {
    console.error("WARNING: --insecure: this registry serves other machines without TLS.");
    console.error("WARNING: everybody on the way can read and change passwords, images and answers.");
  }
  log.info("registry.listening", {
    host: options.host ?? "*",
    port,
    tls: tls !== undefined,
    login: options.auth.kind,
    readOnly: options.readOnly,
    root: options.root,
  });
  log.info("registry.stopping", { signal: await stopped });
  server.closeAllConnections();
  server.close();
  return 0;
}

/** Out: the port. Errors: System naming the address. */
function listen(server: Server, { host, port }: RegistryOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${host ?? "*"}:${port}`;
      reject(systemError(`listen on ${where}: ${messageOf(error)}`, { cause: error }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function stopSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  return promise;
}
