import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import { array, boolean, object, type Reader, string, uint16 } from "../../formats/json-shape.ts";
import type { ExecConfig } from "./exec-instance.ts";

const consoleSize: Reader<readonly [height: number, width: number]> = (value, path) => {
  const [height, width, ...rest] = array(uint16)(value, path);
  if (height === undefined || width === undefined || rest.length > 0) {
    throw invalidParameter(`${path}: expected [height, width]`);
  }
  return [height, width];
};

const readers = {
  User: string,
  Privileged: boolean,
  Tty: boolean,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  DetachKeys: string,
  Env: array(string),
  WorkingDir: string,
  Cmd: array(string),
  ConsoleSize: consoleSize,
};

/** Clients also send what only `start` uses. */
const ignored = ["Detach", "Container"];

/** The body of `POST /containers/{id}/exec`. Errors: InvalidParameter, NotImplemented for a field gantry does not know. */
export function parseExecConfig(body: Readonly<Record<string, unknown>>): ExecConfig {
  for (const key of Object.keys(body)) {
    if (!Object.hasOwn(readers, key) && !ignored.includes(key)) {
      throw notImplemented(`exec option ${key} is not built into gantry`);
    }
  }
  return object<ExecConfig>(readers)(body, "");
}
