import { isExecRunning } from "../../../engine/containers/exec-instance.ts";
import type { ExecService } from "../../../engine/containers/exec-service.ts";
import type { Route } from "../route.ts";

/** engine-api.yaml, ExecInspectResponse. */
export const execInspectRoute = (execs: ExecService): Route => ({
  method: "GET",
  path: "/exec/{id}/json",
  handle: ({ params }, reply) => {
    const exec = execs.get(params.id ?? "");
    const { config } = exec;
    const [entrypoint = "", ...args] = config.Cmd ?? [];
    reply.json(200, {
      ID: exec.id,
      Running: isExecRunning(exec),
      ExitCode: exec.exitCode ?? null,
      ProcessConfig: {
        tty: config.Tty ?? false,
        entrypoint,
        arguments: args,
        privileged: config.Privileged ?? false,
        user: config.User ?? "",
      },
      OpenStdin: config.AttachStdin ?? false,
      OpenStderr: config.AttachStderr ?? false,
      OpenStdout: config.AttachStdout ?? false,
      CanRemove: exec.exitCode !== undefined,
      ContainerID: exec.containerId,
      DetachKeys: config.DetachKeys ?? "",
      Pid: exec.process?.pid ?? 0,
    });
  },
});
