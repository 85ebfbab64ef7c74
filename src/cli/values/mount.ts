import { parseSize } from "./size.ts";

/** `HostConfig.Mounts[]` of the Engine API. */
export interface MountSpec {
  Type: string;
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

type Setter = (mount: MountSpec, value: string, field: string) => void;

const setters: Readonly<Record<string, Setter>> = {
  type: (mount, value) => {
    mount.Type = value.toLowerCase();
  },
  source: (mount, value) => {
    mount.Source = value;
  },
  target: (mount, value) => {
    mount.Target = value;
  },
  readonly: (mount, value, field) => {
    mount.ReadOnly = parseSwitch(value, field);
  },
  consistency: (mount, value) => {
    mount.Consistency = value.toLowerCase();
  },
  "bind-propagation": (mount, value) => {
    mount.BindOptions = { ...mount.BindOptions, Propagation: value.toLowerCase() };
  },
  "bind-nonrecursive": (mount, value, field) => {
    mount.BindOptions = { ...mount.BindOptions, NonRecursive: parseSwitch(value, field) };
  },
  "bind-create-src": (mount, value, field) => {
    mount.BindOptions = { ...mount.BindOptions, CreateMountpoint: parseSwitch(value, field) };
  },
  "bind-recursive": setBindRecursive,
  "tmpfs-size": (mount, value) => {
    mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: parseTmpfsSize(value) };
  },
  "tmpfs-mode": (mount, value) => {
    if (!/^[0-7]{1,5}$/.test(value)) throw new Error(`invalid value for tmpfs-mode: ${value}`);
    mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: Number.parseInt(value, 8) };
  },
};

const aliases: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** Keys that may stand without a value. */
const switches = new Set(["readonly", "bind-nonrecursive", "bind-create-src"]);

/**
 * `--mount type=bind,source=/a,target=/b,readonly`: comma separated (fields with commas in double quotes).
 * A bind source may still be relative. Errors: Error with Docker's wording.
 */
export function parseMount(raw: string): MountSpec {
  const mount: MountSpec = { Type: "volume", Target: "" };
  for (const field of splitCsv(raw)) applyField(mount, field);
  if (mount.Target === "") throw new Error("target is required");
  checkOptions(mount);
  return mount;
}

function applyField(mount: MountSpec, field: string): void {
  const equals = field.indexOf("=");
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  const name = aliases[key] ?? key;
  if (equals < 0 && !switches.has(name)) throw new Error(`invalid field '${field}' must be a key=value pair`);
  const setter = setters[name];
  if (setter === undefined) {
    if (name.startsWith("volume-") || name.startsWith("image-")) refuseVolumeOption(mount, name);
    throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  setter(mount, equals < 0 ? "true" : field.slice(equals + 1), key);
}

function refuseVolumeOption(mount: MountSpec, name: string): never {
  if (mount.Type !== "volume" && mount.Type !== "image") {
    throw new Error(`cannot mix '${name.split("-")[0]}-*' options with mount type '${mount.Type}'`);
  }
  throw new Error(`mount option '${name}' is not supported by this version of gantry`);
}

function checkOptions(mount: MountSpec): void {
  for (const [owner, options] of [
    ["bind", mount.BindOptions],
    ["tmpfs", mount.TmpfsOptions],
  ] as const) {
    if (options !== undefined && mount.Type !== owner) {
      throw new Error(`cannot mix '${owner}-*' options with mount type '${mount.Type}'`);
    }
  }
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = mount.BindOptions ?? {};
  if (ReadOnlyNonRecursive) requireOption("writable", mount.ReadOnly, "readonly");
  if (ReadOnlyForceRecursive) {
    requireOption("readonly", mount.ReadOnly, "readonly");
    requireOption("readonly", Propagation === "rprivate", "bind-propagation=rprivate");
  }
}

function requireOption(recursive: string, present: boolean | undefined, wanted: string): void {
  if (present) return;
  throw new Error(`option 'bind-recursive=${recursive}' requires '${wanted}' to be specified in conjunction`);
}

function setBindRecursive(mount: MountSpec, value: string): void {
  const options = { ...mount.BindOptions };
  if (value === "disabled") options.NonRecursive = true;
  else if (value === "writable") options.ReadOnlyNonRecursive = true;
  else if (value === "readonly") options.ReadOnlyForceRecursive = true;
  else if (value !== "enabled") {
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
  }
  mount.BindOptions = options;
}

function parseTmpfsSize(value: string): number {
  try {
    return parseSize(value);
  } catch {
    throw new Error(`invalid value for tmpfs-size: ${value}`);
  }
}

function parseSwitch(value: string, field: string): boolean {
  if (["1", "true"].includes(value.toLowerCase())) return true;
  if (["0", "false"].includes(value.toLowerCase())) return false;
  throw new Error(`invalid value for ${field}: ${value}`);
}

function splitCsv(raw: string): string[] {
  return [...raw.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}
