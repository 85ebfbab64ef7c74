import { dirname, join } from "node:path";
import type { Image } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { zeroTime } from "../clock.ts";
import { familiar, familiarDigests } from "./familiar-names.ts";
import type { ImageMounts } from "./image-mounts.ts";

export interface ImageSources {
  readonly snapshots: Snapshotter;
  readonly mounts: Pick<ImageMounts, "directoryOf">;
}

/** The answer of `image inspect`. engine-api.yaml, ImageInspect. */
export function inspectImage(image: Image, sources: ImageSources, minor: number): object {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiar),
    RepoDigests: familiarDigests(image),
    Parent: image.parent ?? "",
    // As in Docker, where the image itself has none.
    Comment: config.comment || (config.history.at(-1)?.comment ?? ""),
    ...(config.created === undefined ? {} : { Created: config.created }),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Config: imageConfig(image, minor),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.sizeBytes,
    ...(minor < 44 ? { VirtualSize: image.sizeBytes } : {}),
    GraphDriver: { Data: layerDirectories(image, sources), Name: sources.snapshots.name },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.lastTaggedAt ?? zeroTime },
  };
}

/**
 * Where its layers are, the topmost as UpperDir, as in Docker. An image is not mounted by being there: MergedDir is where
 * `image mount` has its files, or would have them. WorkDir is what overlayfs would want beside the UpperDir; as mounts of
 * images are for reading only, nobody makes it. Null where layers are no plain directories, or are not unpacked.
 */
function layerDirectories({ id, chainIds }: Image, { snapshots, mounts }: ImageSources): object | null {
  if (snapshots.name !== "overlay2" || chainIds.some((chainId) => snapshots.layer(chainId) === undefined))
    return null;
  const [upper, ...lower] = chainIds.map((chainId) => snapshots.layerFiles(chainId).directory).reverse();
  if (upper === undefined) return null;
  return {
    ...(lower.length > 0 ? { LowerDir: lower.join(":") } : {}),
    MergedDir: mounts.directoryOf(id),
    UpperDir: upper,
    WorkDir: join(dirname(upper), "work"),
  };
}

/** Before 1.50 the fields that only containers have stood there too, with zero values. engine-api, section 15. */
function imageConfig(image: Image, minor: number): object {
  const { config } = image.config;
  const own = {
    User: config.User ?? "",
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
    ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
  };
  if (minor >= 50) return own;
  const containerOnly = {
    Hostname: "",
    Domainname: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Image: "",
  };
  return { ...containerOnly, ...own };
}
