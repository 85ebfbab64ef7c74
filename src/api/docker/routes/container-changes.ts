import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import { type Change, listChanges } from "../../../core/snapshots/list-changes.ts";
import { containerChanges, engineMountPoints } from "../../../engine/containers/container-changes.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Route } from "../route.ts";

/** engine-api.yaml, ChangeType. */
const kinds = { modified: 0, added: 1, deleted: 2 } as const satisfies Record<Change["kind"], number>;

/** `diff`: null when nothing was changed, as Docker answers it. */
export const containerChangesRoute = (store: ContainerStore, snapshots: Snapshotter): Route => ({
  method: "GET",
  path: "/containers/{id}/changes",
  handle: async ({ params, signal }, reply) => {
    const { id, record } = store.get(params.id ?? "");
    const all = await listChanges(snapshots.describe(id), signal);
    const changes = containerChanges(all, engineMountPoints(record.hostConfig));
    reply.json(
      200,
      changes.length > 0 ? changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })) : null,
    );
  },
});
