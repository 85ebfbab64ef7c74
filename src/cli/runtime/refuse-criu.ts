import { notImplemented } from "../../errors/platform-error.ts";

/** Errors: NotImplemented, always. */
export function refuseCriu(command: "checkpoint" | "restore"): never {
  const installed = Bun.which("criu") !== null;
  throw notImplemented(
    installed
      ? `${command}: driving criu is not supported`
      : `${command}: criu is not installed on this host`,
    { code: "criu.missing", hint: "stop the container, and run it again from its bundle" },
  );
}
