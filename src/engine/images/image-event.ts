import type { Image } from "../../core/images/contract.ts";
import type { EventBus } from "../events/event-bus.ts";

export type ImageAction = "delete" | "import" | "load" | "pull" | "push" | "save" | "tag" | "untag";

/** Of what the event is, where that is not the image's id, and the name in it. */
export interface ImageEventNames {
  readonly id?: string;
  readonly name?: string;
}

/**
 * Tells of an image. Its labels are attributes, by which events are filtered; one that is gone has none any more.
 * Spec: Docker Engine API, "Monitor events", images.
 */
export function publishImage(
  bus: EventBus,
  action: ImageAction,
  image: Image | undefined,
  { id = image?.id ?? "", name = id }: ImageEventNames = {},
): void {
  const labels = action === "delete" ? {} : image?.config.config.Labels;
  bus.publish("image", action, id, { ...labels, name });
}
