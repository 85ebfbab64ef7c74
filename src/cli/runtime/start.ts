import type { ContainerState } from "../../runtime/lifecycle/container-state.ts";
import { startContainer } from "../../runtime/lifecycle/start-container.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER",
  summary: "Run the program of a created container",
  flags: {},
  args: { min: 1, max: 1 },

  async execute(context, { args: [id = ""] }) {
    await startContainer(context.root, id, (report, directory, state) =>
      explainFailure(context, report, directory, state),
    );
    return 0;
  },
});

/** The plan is made again from the saved config, to name the step which failed. */
async function explainFailure(
  context: RuntimeContext,
  report: Uint8Array,
  directory: string,
  { id, bundle, options }: ContainerState,
): Promise<Error> {
  const { planBundle } = await import("../../runtime/lifecycle/plan-bundle.ts");
  const { readSavedConfig } = await import("../../runtime/lifecycle/saved-config.ts");
  const plan = planBundle(id, bundle, readSavedConfig(directory), await context.host(), options);
  return (await context.launcher()).failureOf(report, plan);
}
