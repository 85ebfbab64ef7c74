import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";

/** A manifest as `manifest inspect --verbose` shows it, in the spelling of Docker's client. */
export interface ShownManifest {
  readonly Ref: string;
  readonly Descriptor: Descriptor;
  /** Base64 on the wire: the bytes that the digest covers. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: unknown;
  readonly OCIManifest?: unknown;
}

export function showManifest(name: string, descriptor: Descriptor, bytes: Uint8Array): ShownManifest {
  const key = descriptor.mediaType === mediaTypes.dockerManifest ? "SchemaV2Manifest" : "OCIManifest";
  return {
    Ref: name,
    Descriptor: descriptor,
    Raw: Buffer.from(bytes).toString("base64"),
    [key]: parsedJson(bytes),
  };
}

/** The document as it is, also with fields that nobody knows. */
export function parsedJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
