import { type Digest, digestOf } from "./digest.ts";

/** OCI image-spec, "Layer ChainID": the identity of a layer on top of all those below it. */
export function chainId(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}

/** The chain id of each layer, base first, from the diff ids of an image config. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  let parent: Digest | undefined;
  return diffIds.map((diffId) => {
    parent = chainId(parent, diffId);
    return parent;
  });
}
