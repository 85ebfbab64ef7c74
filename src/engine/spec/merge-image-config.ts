import type { ImageConfig } from "../../formats/oci-image.ts";
import type { ContainerConfig } from "./docker-config.ts";

/**
 * Fills what the user left open with what the image says: the configuration that `inspect` shows.
 *
 * A user's entrypoint drops the image's command; variables, labels, ports and volumes are joined, the user's win.
 * Spec: Docker Engine API, ContainerConfig; OCI image-spec, "Image Configuration", config.
 */
export function mergeImageConfig(user: ContainerConfig, image: ImageConfig): ContainerConfig {
  const { Healthcheck, OnBuild: _onBuild, ArgsEscaped: _argsEscaped, ...fromImage } = image;
  const command = mergeCommand(user, image);
  const healthcheck = user.Healthcheck ?? Healthcheck;
  return {
    ...fromImage,
    ...withoutEmpty(user),
    Env: mergeEnv(user.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...user.Labels },
    ExposedPorts: withProtocols({ ...image.ExposedPorts, ...user.ExposedPorts }),
    Volumes: { ...image.Volumes, ...user.Volumes },
    Entrypoint: command.entrypoint,
    Cmd: command.cmd,
    ...(healthcheck !== undefined && { Healthcheck: healthcheck }),
  };
}

/** An image may write `80` for `80/tcp`. OCI image-spec, "Image Configuration", ExposedPorts. */
function withProtocols(ports: Readonly<Record<string, object>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(ports).map(([port, value]) => [port.includes("/") ? port : `${port}/tcp`, value]),
  );
}

function mergeCommand(user: ContainerConfig, image: ImageConfig) {
  const cmd = user.Cmd ?? [];
  const own = user.Entrypoint;
  if (own === undefined || own.length === 0)
    return {
      entrypoint: own ?? image.Entrypoint ?? [],
      cmd: cmd.length > 0 ? cmd : (image.Cmd ?? []),
    };
  // `--entrypoint ""` clears it: the client sends one empty word.
  return { entrypoint: own.length === 1 && own[0] === "" ? [] : own, cmd };
}

/** The user's in their order, then the image's that have another name. */
function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
  const names = new Set(user.map(variableName));
  return [...user, ...image.filter((entry) => !names.has(variableName(entry)))];
}

export const variableName = (entry: string): string => {
  const end = entry.indexOf("=");
  return end === -1 ? entry : entry.slice(0, end);
};

function withoutEmpty(config: ContainerConfig): ContainerConfig {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined && value !== ""),
  );
}
