import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { conflict, invalidParameter, messageOf, systemError } from "../errors/platform-error.ts";

/**
 * Makes `server` listen on a unix socket that root, and the members of `groupId`, may use. A socket that nobody
 * listens on any more is taken over. Errors: Conflict when somebody does, or when the path is no socket.
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  groupId: number | undefined,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  const umask = process.umask(0o177); // nobody may connect before mode and group are right
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(systemError(`listen on ${path}: ${messageOf(error)}`, { cause: error })),
      );
      server.listen(path, resolve);
    });
  } finally {
    process.umask(umask);
  }
  if (groupId !== undefined) chownSync(path, 0, groupId);
  chmodSync(path, 0o660);
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw conflict(`listen on ${path}: it exists and is no socket`);
  if (await isServed(path)) {
    throw conflict(`listen on ${path}: another server answers there`, {
      hint: "stop it, or choose another --host",
    });
  }
  unlinkSync(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** A group's number from its name or number. Errors: InvalidParameter for an unknown name. */
export function groupIdOf(group: string): number {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  for (const line of readFileSync("/etc/group", "utf8").split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group && id !== undefined) return Number(id);
  }
  throw invalidParameter(`--group ${group}: no such group`);
}
