import type { ImageConfig } from "../../formats/oci-image.ts";
import type { ContainerConfig } from "../spec/docker-config.ts";

/** What an image keeps of a container's configuration, without what says nothing. OCI image-spec, "Image Configuration". */
export function imageConfigOf(config: ContainerConfig): ImageConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels } = config;
  const { StopSignal, ArgsEscaped, Healthcheck, OnBuild, Shell } = config;
  const kept = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal };
  const all = { ...kept, ArgsEscaped, Healthcheck, OnBuild, Shell };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
