import { notImplemented } from "../../errors/platform-error.ts";
import type { ExecConfig } from "../spec/docker-config.ts";
import { readExecConfig } from "../spec/parse-docker-config.ts";

const known = [
  "User",
  "Privileged",
  "Tty",
  "AttachStdin",
  "AttachStdout",
  "AttachStderr",
  "DetachKeys",
  "Env",
  "WorkingDir",
  "Cmd",
  "ConsoleSize",
  // sent by clients which put all options of their command line here; `start` decides
  "Detach",
  "Container",
];

/** The body of `POST /containers/{id}/exec`. Errors: InvalidParameter, NotImplemented for a field gantry does not know. */
export function parseExecConfig(body: Readonly<Record<string, unknown>>): ExecConfig {
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) throw notImplemented(`exec option ${unknown} is not built into gantry`);
  return readExecConfig(body, "");
}
