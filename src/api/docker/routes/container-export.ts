import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import { exportTree } from "../../../core/snapshots/export-tree.ts";
import { ContainerEvents } from "../../../engine/containers/container-events.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { EventBus } from "../../../engine/events/event-bus.ts";
import { writeTar } from "../../../formats/tar/tar-writer.ts";
import type { Route } from "../route.ts";
import { tarStream } from "../tar-stream.ts";

/** The root without volumes, as one flat tar; also of a running container. */
export const containerExportRoute = (
  store: ContainerStore,
  snapshots: Snapshotter,
  bus: EventBus,
): Route => ({
  method: "GET",
  path: "/containers/{id}/export",
  handle: async ({ params, signal }, reply) => {
    const container = store.get(params.id ?? "");
    const root = snapshots.describe(container.id);
    await tarStream(reply, async (write) => {
      for await (const chunk of writeTar(exportTree(root, signal))) await write(chunk);
    });
    new ContainerEvents(bus).publish(container, "export");
  },
});
