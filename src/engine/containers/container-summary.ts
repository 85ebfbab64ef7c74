import { mergeImageConfig } from "../spec/merge-image-config.ts";
import { commandWords } from "./command-words.ts";
import type { Container } from "./container.ts";
import { endpointSettings, networkName, portSummaries } from "./network-settings.ts";
import { statusText } from "./status-text.ts";

export interface ContainerSizes {
  readonly SizeRw: number;
  readonly SizeRootFs: number;
}

/** One row of `ps`. engine-api.yaml, ContainerSummary. */
export function containerSummary(container: Container, nowMs: number, sizes?: ContainerSizes): object {
  const { record } = container;
  const { state } = record;
  const config = mergeImageConfig(record.config, record.imageConfig);
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: config.Image ?? record.imageId,
    ImageID: record.imageId,
    Command: commandText(commandWords(config)),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: portSummaries(container),
    ...(sizes ?? {}),
    Labels: config.Labels ?? {},
    State: state.status,
    Status: statusText(
      {
        status: state.status,
        exitCode: state.exitCode,
        startedAtMs: Date.parse(state.startedAt),
        finishedAtMs: Date.parse(state.finishedAt),
      },
      nowMs,
    ),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode || "bridge" },
    NetworkSettings: { Networks: { [networkName(container)]: endpointSettings(record.endpoint) } },
    Mounts: record.mounts,
  };
}

/** Arguments with blanks in them are quoted, as Docker does it. */
function commandText(words: readonly string[]): string {
  const [path = "", ...args] = words;
  return [path, ...args.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}
