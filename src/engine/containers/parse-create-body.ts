import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { containerOf } from "../spec/check-modes.ts";
import type { ContainerConfig, HostConfig } from "../spec/docker-config.ts";
import { readContainerConfig, readHostConfig } from "../spec/parse-docker-config.ts";
import { prepareHostConfig } from "../spec/prepare-host-config.ts";
import { refuseUnbuiltConfig } from "../spec/refuse-unbuilt.ts";

export interface CreateBody {
  /** As the client gave it. */
  readonly config: ContainerConfig;
  /** With the host's defaults. */
  readonly hostConfig: HostConfig;
  readonly warnings: readonly string[];
}

/** Settings of an endpoint that have a meaning here; clients send the others empty. */
const builtEndpointSettings = ["NetworkID", "EndpointID"];

/** The body of `POST /containers/create`. Errors: InvalidParameter and NotImplemented naming the field. */
export function parseCreateBody(body: Readonly<Record<string, unknown>>, host: HostFacts): CreateBody {
  const config = readContainerConfig(body, "");
  refuseUnknown(body, [...Object.keys(config), "HostConfig", "NetworkingConfig"], "");
  refuseUnbuiltConfig(config);
  const given = objectAt(body.HostConfig, "HostConfig");
  const requested = readHostConfig(given, "HostConfig");
  refuseUnknown(given, Object.keys(requested), "HostConfig.");
  const { hostConfig, warnings } = prepareHostConfig(requested, host);
  checkNetworking(body.NetworkingConfig, hostConfig);
  return { config, hostConfig, warnings };
}

/** The readers drop what they do not know: a field of a newer client that is set must not be lost silently. */
function refuseUnknown(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key) && isSet(given[key]));
  if (unknown !== undefined) throw notImplemented(`${path}${unknown} is not built into gantry`);
}

/** One endpoint, on the network of NetworkMode, without settings of its own: more comes with further networks. */
function checkNetworking(value: unknown, { NetworkMode: mode = "default" }: HostConfig): void {
  if (containerOf(mode) !== undefined) {
    throw notImplemented(
      `HostConfig.NetworkMode (--network ${mode}): sharing a container's network is not built into gantry yet`,
    );
  }
  const endpoints = Object.entries(
    objectAt(objectAt(value, "NetworkingConfig").EndpointsConfig, "EndpointsConfig"),
  );
  const networkOf = (name: string): string => (name === "default" ? "bridge" : name);
  for (const [network, settings] of endpoints) {
    if (networkOf(network) !== networkOf(mode)) {
      throw notImplemented(
        `NetworkingConfig: connecting a container to ${network} beside ${mode} is not built into gantry yet`,
      );
    }
    for (const [key, setting] of Object.entries(objectAt(settings, network))) {
      if (isSet(setting) && !builtEndpointSettings.includes(key)) {
        throw notImplemented(
          `NetworkingConfig.EndpointsConfig.${network}.${key} is not built into gantry yet`,
        );
      }
    }
  }
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidParameter(`${path}: expected an object`);
}

function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(isSet);
  return value !== undefined && value !== null && value !== "" && value !== 0 && value !== false;
}
