import { join } from "node:path";
import { type Digest, digestHex } from "../../formats/digest.ts";
import type { MountedRoot, RootForm } from "./contract.ts";

/**
 * The folders of the snapshotter:
 * - `layers/<chain hex>/`: `diff/`, `layer.json`; complete as soon as it has this name; `init/` once a container stands on it;
 * - `init/`: the same for containers on an image without layers;
 * - `containers/<key>/`: `upper/`, `work/`, `merged/`, and `parent`, a symlink to its layer;
 * - `drafts/`: layers that are unpacked, containers that are made; worthless after a restart;
 * - `trash/`: what is deleted behind the answer.
 */
export class SnapshotPaths {
  readonly layers: string;
  readonly containers: string;
  readonly drafts: string;
  readonly trash: string;

  constructor(
    readonly root: string,
    private readonly form: RootForm,
  ) {
    this.layers = join(root, "layers");
    this.containers = join(root, "containers");
    this.drafts = join(root, "drafts");
    this.trash = join(root, "trash");
  }

  layer(chainId: Digest): string {
    return join(this.layers, digestHex(chainId));
  }

  init(chainId: Digest | undefined): string {
    return join(chainId === undefined ? this.root : this.layer(chainId), "init");
  }

  container(key: string): string {
    return join(this.containers, key);
  }

  mountedRoot(key: string, lower: readonly string[]): MountedRoot {
    const directory = this.container(key);
    return {
      merged: join(directory, "merged"),
      lower,
      upper: join(directory, "upper"),
      work: join(directory, "work"),
      form: this.form,
    };
  }
}
