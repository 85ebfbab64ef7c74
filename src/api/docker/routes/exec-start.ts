import type { ExecService } from "../../../engine/containers/exec-service.ts";
import { invalidParameter, messageOf } from "../../../errors/platform-error.ts";
import { encodeFrame } from "../../../wire/stdcopy.ts";
import { optionalJsonBody } from "../json-body.ts";
import type { Route } from "../route.ts";
import { outputStreamType } from "./stream-type.ts";

/** Hijacks the connection, unless `Detach` is set. A failure after that is text in the stream. engine-api, section 3. */
export const execStartRoute = (execs: ExecService): Route => ({
  method: "POST",
  path: "/exec/{id}/start",
  handle: async (request, reply) => {
    const id = request.params.id ?? "";
    const body = (await optionalJsonBody(request)) ?? {};
    const consoleSize = request.minor >= 42 ? parseConsoleSize(body.ConsoleSize) : undefined;
    const exec = execs.claim(id);
    if (body.Detach === true) {
      await execs.start(exec, { consoleSize }, undefined);
      reply.empty(200);
      return;
    }
    const tty = exec.config.Tty ?? false;
    const client = reply.hijack(outputStreamType(tty, request.minor));
    try {
      await execs.start(exec, { consoleSize }, client);
    } catch (error) {
      const text = new TextEncoder().encode(`${messageOf(error)}\r\n`);
      client.output.end(tty ? text : encodeFrame(1, text));
    }
  },
});

function parseConsoleSize(value: unknown): readonly [number, number] | undefined {
  if (value === undefined || value === null) return undefined;
  const isSize = (size: unknown): size is number =>
    Number.isInteger(size) && Number(size) >= 0 && Number(size) <= 65535;
  if (Array.isArray(value) && value.length === 2 && isSize(value[0]) && isSize(value[1]))
    return [value[0], value[1]];
  throw invalidParameter("ConsoleSize: expected [height, width]");
}
