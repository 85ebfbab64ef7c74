import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { chainId as chainIdOf } from "../../formats/chain-id.ts";
import type { Digest } from "../../formats/digest.ts";
import type { WhiteoutForm } from "../unpack/whiteout.ts";
import type { CommittedLayer, LayerDraft } from "./contract.ts";
import { formatLayerSidecar } from "./layer-sidecar.ts";
import type { LayerStore } from "./layer-store.ts";
import type { SnapshotPaths } from "./snapshot-paths.ts";
import type { StorageDriver } from "./storage-driver.ts";
import type { Trash } from "./trash.ts";

export interface DraftServices {
  readonly paths: SnapshotPaths;
  readonly layers: LayerStore;
  readonly trash: Trash;
  readonly driver: StorageDriver;
  readonly bootId: string;
}

/** A layer in `drafts/`; a rename into `layers/` commits it. */
export class FileDraft implements LayerDraft {
  readonly directory: string;
  readonly whiteouts: WhiteoutForm;
  #ended = false;

  constructor(
    private readonly services: DraftServices,
    private readonly place: string,
    private readonly chain: { readonly chainId: Digest; readonly parent: Digest | undefined },
    /** The right to be the only draft of the chain. */
    private readonly turn: Disposable,
  ) {
    this.directory = join(place, "diff");
    this.whiteouts = services.driver.whiteouts;
    // 0755: a root directory that no layer describes.
    mkdirSync(this.directory, { recursive: true, mode: 0o755 });
  }

  async commit(info: Parameters<LayerDraft["commit"]>[0]): Promise<CommittedLayer> {
    const { paths, layers, driver, bootId } = this.services;
    const { chainId, parent } = this.chain;
    if (this.#ended) throw conflict(`layer ${chainId} was committed or discarded already`);
    if (chainIdOf(parent, info.diffId) !== chainId) {
      throw invalidParameter(
        `diff id ${info.diffId} does not make layer ${chainId} on ${parent ?? "nothing"}`,
      );
    }
    if (parent !== undefined && layers.get(parent) === undefined) {
      throw conflict(`layer ${chainId} cannot be committed before its parent ${parent}`);
    }
    const { hidesLower: opaqueRoot } = await driver.seal({
      place: this.place,
      parent,
      lower: layers.directories(parent),
      impliedDirectories: info.impliedDirectories ?? [],
    });
    const layer = { chainId, diffId: info.diffId, parent, sizeBytes: info.sizeBytes };
    const sidecar = { ...layer, opaqueRoot, unsyncedBoot: bootId };
    // Not synced: until LayerStore's sync such a layer counts only within this boot of the machine.
    writeFileSync(join(this.place, "layer.json"), formatLayerSidecar(sidecar), { mode: 0o600 });
    renameSync(this.place, paths.layer(chainId));
    this.#end();
    return layers.add(sidecar);
  }

  discard(): Promise<void> {
    if (!this.#ended) {
      if (existsSync(this.place)) this.services.trash.take(this.place);
      this.#end();
    }
    return Promise.resolve();
  }

  #end(): void {
    this.#ended = true;
    this.turn[Symbol.dispose]();
  }
}
