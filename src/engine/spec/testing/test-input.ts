import type { ImageConfig } from "../../../formats/oci-image.ts";
import type { HostFacts } from "../../../kernel/host-facts.ts";
import { testHost } from "../../../runtime/plan/testing/test-host.ts";
import type { ContainerConfig, HostConfig } from "../docker-config.ts";
import { mergeImageConfig } from "../merge-image-config.ts";
import { prepareHostConfig } from "../prepare-host-config.ts";
import type { SpecInput } from "../spec-input.ts";

export const testId = "0123456789ab".padEnd(64, "c");

interface Request {
  readonly config?: ContainerConfig;
  readonly hostConfig?: HostConfig;
  readonly image?: ImageConfig;
  readonly host?: HostFacts;
  readonly input?: Partial<SpecInput>;
}

/** What `buildSpec` gets for a create request, on a machine that tests know. */
export function testInput({
  config = {},
  hostConfig = {},
  image = { Cmd: ["sh"] },
  host = testHost,
  input,
}: Request): SpecInput {
  return {
    containerId: testId,
    imageName: "busybox",
    config: mergeImageConfig(config, image),
    userConfig: config,
    hostConfig: prepareHostConfig(hostConfig, host).hostConfig,
    host,
    rootfs: "/var/lib/gantry/root",
    hostname: config.Hostname ?? testId.slice(0, 12),
    networkFiles: {
      hosts: "/var/lib/gantry/c/hosts",
      hostname: "/var/lib/gantry/c/hostname",
      resolvConf: "/var/lib/gantry/c/resolv.conf",
    },
    identity: {
      passwd: "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\n",
      group: "root:x:0:\nweb:x:33:\naudio:x:63:web\n",
    },
    devices: new Map(),
    allDevices: [],
    ...input,
  };
}
