import type { Env } from "./measure.ts";
import type { World } from "./world.ts";

/** The words in which each contestant says the same. Registries are on loopback and speak plain HTTP. */
export interface ImageTool {
  readonly name: string;
  readonly env: Env;
  readonly pull: (image: string) => readonly string[];
  readonly remove: (image: string) => readonly string[];
  readonly tag: (image: string, name: string) => readonly string[];
  readonly push: (image: string) => readonly string[];
  readonly load: (path: string) => readonly string[];
  readonly save: (image: string, path: string) => readonly string[];
  readonly list: () => readonly string[];
}

export function imageTools(world: World): ImageTool[] {
  const likeDocker = (name: string, call: (...args: string[]) => string[], env: Env): ImageTool => ({
    name,
    env,
    pull: (image) => call("pull", image),
    remove: (image) => call("rmi", "-f", image),
    tag: (image, other) => call("tag", image, other),
    push: (image) => call("push", image),
    load: (path) => call("load", "-i", path),
    save: (image, path) => call("save", "-o", path, image),
    list: () => call("images"),
  });
  const { podman, ctr } = world;
  return [
    likeDocker("gantry", world.gantry, world.gantryEnv),
    likeDocker("docker", world.docker, world.dockerEnv),
    {
      ...likeDocker("podman", podman, {}),
      pull: (image) => podman("pull", "--tls-verify=false", image),
      push: (image) => podman("push", "--tls-verify=false", image),
    },
    {
      name: "ctr",
      env: {},
      pull: (image) => ctr("images", "pull", "--plain-http", image),
      remove: (image) => ctr("images", "rm", "--sync", image),
      tag: (image, name) => ctr("images", "tag", image, name),
      push: (image) => ctr("images", "push", "--plain-http", image),
      load: (path) => ctr("images", "import", path),
      save: (image, path) => ctr("images", "export", path, image),
      list: () => ctr("images", "ls"),
    },
  ];
}
