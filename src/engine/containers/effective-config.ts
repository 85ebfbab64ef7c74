import type { ImageConfig } from "../../formats/oci-image.ts";
import type { ContainerConfig } from "./docker-config.ts";

/**
 * The user's config with the image's defaults merged in, as `inspect` shows it: environment variables of the user win
 * by name, labels by key; a given entrypoint drops the image's command.
 */
export function effectiveConfig(config: ContainerConfig, image: ImageConfig): ContainerConfig {
  const command = commandOf(config, image);
  return {
    ...config,
    ...command,
    User: config.User || image.User || "",
    WorkingDir: config.WorkingDir || image.WorkingDir || "",
    Env: mergeEnvironment(config.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...config.Labels },
    ...exposedPorts({ ...image.ExposedPorts, ...config.ExposedPorts }),
    ...volumes({ ...image.Volumes, ...config.Volumes }),
    ...stopSignal(config.StopSignal ?? image.StopSignal),
  };
}

const exposedPorts = (ports: Record<string, object>) =>
  Object.keys(ports).length > 0 ? { ExposedPorts: ports } : {};
const volumes = (paths: Record<string, object>) => ({ Volumes: Object.keys(paths).length > 0 ? paths : null });
const stopSignal = (signal: string | undefined) => (signal ? { StopSignal: signal } : {});

function commandOf(config: ContainerConfig, image: ImageConfig): Pick<ContainerConfig, "Cmd" | "Entrypoint"> {
  const given = config.Entrypoint ?? undefined;
  const cmd = config.Cmd ?? undefined;
  // `--entrypoint ""` arrives as one empty word and means: none, not even the image's.
  if (given?.length === 1 && given[0] === "") return { Entrypoint: null, Cmd: cmd ?? null };
  if (given !== undefined && given.length > 0) return { Entrypoint: given, Cmd: cmd ?? null };
  const usesImageCmd = cmd === undefined || cmd.length === 0;
  return { Entrypoint: image.Entrypoint ?? null, Cmd: (usesImageCmd ? image.Cmd : cmd) ?? null };
}

/** The words to execute: entrypoint and command in one. */
export function commandWords(config: ContainerConfig): string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

function mergeEnvironment(own: readonly string[], image: readonly string[]): string[] {
  const names = new Set(own.map(variableName));
  return [...own, ...image.filter((variable) => !names.has(variableName(variable)))];
}

const variableName = (variable: string): string => variable.split("=", 1)[0] ?? variable;
