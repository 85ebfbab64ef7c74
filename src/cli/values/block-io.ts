import { parseSize } from "./size.ts";

/** An entry of `HostConfig.BlkioDeviceReadBps` and its like. */
export interface DeviceRate {
  readonly Path: string;
  readonly Rate: number;
}

/** An entry of `HostConfig.BlkioWeightDevice`. */
export interface DeviceWeight {
  readonly Path: string;
  readonly Weight: number;
}

/** `/dev/sda:10mb`, in bytes a second. Errors: Error, in Docker's words. */
export function parseByteRate(raw: string): DeviceRate {
  const hint =
    "<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb";
  return rateOf(raw, hint, parseSize);
}

/** `/dev/sda:1000`, in operations a second. */
export function parseOperationRate(raw: string): DeviceRate {
  return rateOf(raw, "<number>. Number must be a positive integer", (text) =>
    /^\d{1,15}$/.test(text) ? Number(text) : undefined,
  );
}

function rateOf(raw: string, form: string, parse: (text: string) => number | undefined): DeviceRate {
  const [Path, text] = splitDevice(raw);
  const invalid = `invalid rate for device: ${raw}. The correct format is <device-path>:${form}`;
  let rate: number | undefined;
  try {
    rate = parse(text);
  } catch (cause) {
    throw new Error(invalid, { cause });
  }
  if (rate === undefined) throw new Error(invalid);
  return { Path, Rate: rate };
}

/** `/dev/sda:500`: 10 to 1000, or 0 for none. */
export function parseDeviceWeight(raw: string): DeviceWeight {
  const [Path, text] = splitDevice(raw);
  const weight = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw new Error(`invalid weight for device: ${raw}`);
  return { Path, Weight: weight };
}

function splitDevice(raw: string): [path: string, value: string] {
  const at = raw.indexOf(":");
  if (at <= 0) throw new Error(`bad format: ${raw}`);
  if (!raw.startsWith("/dev/")) throw new Error(`bad format for device path: ${raw}`);
  return [raw.slice(0, at), raw.slice(at + 1)];
}
