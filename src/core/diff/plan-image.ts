import { definedOnly } from "../../formats/json-fields.ts";
import type { Descriptor, HistoryEntry, ImageConfig, ImageConfigFile } from "../../formats/oci-image.ts";
import { inOciType } from "../../formats/oci-types.ts";
import type { Platform } from "../../formats/platform.ts";
import type { NewLayer } from "./layer-maker.ts";

/** An image that a new one stands on. */
export interface ParentImage {
  readonly config: ImageConfigFile;
  /** Base first, one for each diff id. */
  readonly layers: readonly Descriptor[];
}

export interface ImageToMake {
  readonly parent: ParentImage | undefined;
  /** Undefined: nothing but the configuration is new. */
  readonly layer: NewLayer | undefined;
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** The last line of the history; its `created` and author are the image's too. */
  readonly history: HistoryEntry & { readonly created: string };
}

/** What the two documents of an image say. */
export interface PlannedImage {
  readonly config: ImageConfigFile;
  readonly layers: readonly Descriptor[];
}

/** Plans an image: its parent's layers and history, and one more of each. OCI image-spec, "Image Configuration". */
export function planImage({ parent, layer, platform, config, history }: ImageToMake): PlannedImage {
  const before = parent?.config;
  const { created, author } = history;
  const line = layer === undefined ? { ...history, empty_layer: true } : history;
  return {
    config: {
      created,
      ...(author === undefined ? {} : { author }),
      ...platformOf(platform),
      config,
      rootfs: {
        type: "layers",
        diff_ids: [...(before?.rootfs.diff_ids ?? []), ...(layer === undefined ? [] : [layer.diffId])],
      },
      history: [...completeHistory(before), line],
    },
    layers: [...(parent?.layers ?? []).map(inOciType), ...(layer === undefined ? [] : [layer.descriptor])],
  };
}

/** Of a config file the platform alone. */
function platformOf(of: Platform): Platform {
  const { architecture, os, variant, "os.version": version, "os.features": features } = of;
  return definedOnly<Platform>({
    architecture,
    os,
    variant,
    "os.version": version,
    "os.features": features,
  });
}

/** Some tools write no history; a line that follows would then tell of the wrong layer. */
function completeHistory(config: ImageConfigFile | undefined): HistoryEntry[] {
  if (config === undefined) return [];
  const told = config.history.filter((line) => line.empty_layer !== true).length;
  const untold = Math.max(0, config.rootfs.diff_ids.length - told);
  return [...config.history, ...Array.from({ length: untold }, () => ({}))];
}
