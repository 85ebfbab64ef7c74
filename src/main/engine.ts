import { mkdirSync, rmSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { type Answer, createDockerApi } from "../api/docker/docker-api.ts";
import { LocalTransport } from "../api/docker/local-transport.ts";
import type { Route } from "../api/docker/route.ts";
import { commandRoute } from "../api/docker/routes/gantry-command.ts";
import { pingRoutes } from "../api/docker/routes/ping.ts";
import { versionRoute } from "../api/docker/routes/version.ts";
import { createDockerServer } from "../api/docker/server.ts";
import type { ClientStream } from "../engine/containers/client-stream.ts";
import { messageOf, PlatformError } from "../errors/platform-error.ts";
import { createLog, type Log } from "../log/log.ts";
import { buildId } from "./build-id.ts";
import type { Engine } from "./compose.ts";
import { lockDirectory } from "./directory-lock.ts";
import { type EngineOptions, engineHelp, parseEngineOptions } from "./engine-options.ts";
import { engineSurroundings } from "./engine-surroundings.ts";
import { groupIdOf, listenOnSocket } from "./listen.ts";

const stderr = 2;

/** `gantry engine`. Runs until SIGTERM or SIGINT; out: the exit code. Containers go on without it. */
export async function runEngine(argv: readonly string[]): Promise<number> {
  try {
    const options = parseEngineOptions(argv, engineSurroundings());
    if (!options) {
      process.stdout.write(engineHelp);
      return 0;
    }
    return await serve(options, () => parseEngineOptions(argv, engineSurroundings()));
  } catch (error) {
    console.error(`gantry engine: ${messageOf(error)}`);
    if (error instanceof PlatformError && error.hint) console.error(`hint: ${error.hint}`);
    return 1;
  }
}

/** `readAgain`: the options as the configuration file has them now. */
async function serve(options: EngineOptions, readAgain: () => EngineOptions | undefined): Promise<number> {
  const log = createLog(options.logLevel, (line) => writeSync(stderr, line));
  const groupId = options.group === undefined ? undefined : groupIdOf(options.group);
  mkdirSync(options.root, { recursive: true, mode: 0o710 });
  mkdirSync(options.state, { recursive: true, mode: 0o711 });
  lockDirectory(options.root);
  lockDirectory(options.state);

  // It listens before it opens anything: a ping needs no store, and whoever needs one waits for `ready`.
  const ready = Promise.withResolvers<readonly Route[]>();
  const answer = createDockerApi({ immediate: [...pingRoutes, versionRoute], ready: ready.promise, log });
  const servers = options.sockets.map((socket) => ({ socket, server: createDockerServer(answer) }));
  for (const { server, socket } of servers) await listenOnSocket(server, socket, groupId);
  if (options.pidFile !== undefined) writeFileSync(options.pidFile, `${process.pid}\n`);
  log.info("engine.listening", { sockets: options.sockets.join(" "), pid: process.pid, root: options.root });

  const stopped = stopSignal(log);
  try {
    const { compose } = await import("./compose.ts");
    const engine = await compose(options, log);
    ready.resolve([...engine.routes, commandRoute((front) => serveFront(front, answer))]);
    const { trimWhenIdle } = await import("./idle-memory.ts");
    trimWhenIdle(servers.map(({ server }) => server))();
    process.on("SIGHUP", () => reload(engine, readAgain, log));
    log.info("engine.ready", { afterMs: Math.round(performance.now()) });
    await stopped;
    await engine.close();
    return 0;
  } catch (error) {
    ready.reject(error);
    throw error;
  } finally {
    for (const { server, socket } of servers) {
      server.closeAllConnections();
      server.close();
      rmSync(socket, { force: true });
    }
    if (options.pidFile !== undefined) unlinkSync(options.pidFile);
  }
}

/** Loaded when the first front comes: an engine that only other clients use needs no command line. */
async function serveFront(front: ClientStream, answer: Answer): Promise<void> {
  const { serveCommand } = await import("../cli/serve-command.ts");
  await serveCommand(front, { buildId, engine: new LocalTransport(answer) });
}

/** A file that is wrong changes nothing. */
function reload(engine: Engine, readAgain: () => EngineOptions | undefined, log: Log): void {
  try {
    const options = readAgain();
    if (options === undefined) return;
    engine.reload(options.registries);
    log.info("engine.reloaded", {});
  } catch (error) {
    log.error("engine.reload-failed", { error: messageOf(error) });
  }
}

/** Settles at SIGTERM or SIGINT. SIGHUP is taken from the beginning: what comes early must not end the engine. */
function stopSignal(log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info("engine.stopping", { signal });
      resolve();
    });
  }
  process.on("SIGHUP", () => undefined);
  return promise;
}
