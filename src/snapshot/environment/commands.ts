import { command as create } from "../../cli/runtime/create.ts";
import { command as remove } from "../../cli/runtime/delete.ts";
import { command as events } from "../../cli/runtime/events.ts";
import { command as exec } from "../../cli/runtime/exec.ts";
import { command as kill } from "../../cli/runtime/kill.ts";
import { command as list } from "../../cli/runtime/list.ts";
import { command as pause } from "../../cli/runtime/pause.ts";
import { command as resume } from "../../cli/runtime/resume.ts";
import { command as run } from "../../cli/runtime/run.ts";
import type { RuntimeCommand } from "../../cli/runtime/runtime-command.ts";
import { command as start } from "../../cli/runtime/start.ts";
import { command as state } from "../../cli/runtime/state.ts";
import { command as update } from "../../cli/runtime/update.ts";

/**
 * In the place of src/cli/runtime/commands.ts: the commands that use nothing of Bun which the environment lacks (other programs,
 * checksums), and that containers are started, watched and ended with. Loaded all, as this happens before the snapshot.
 */
const commands: Readonly<Record<string, RuntimeCommand>> = {
  create,
  delete: remove,
  events,
  exec,
  kill,
  list,
  pause,
  resume,
  run,
  start,
  state,
  update,
};

export function findRuntimeCommand(
  name: string,
): (() => Promise<{ readonly command: RuntimeCommand }>) | undefined {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return command === undefined ? undefined : async () => ({ command });
}
