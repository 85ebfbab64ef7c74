import { expect, test } from "bun:test";
import { registryConfig } from "./registry-config.ts";

test("info shows mirrors and insecure registries as dockerd does", () => {
  const mirror = {
    url: "https://m/",
    apiRoot: "https://m/v2/",
    capabilities: ["pull", "resolve"] as const,
    skipVerify: false,
  };
  const shown = registryConfig({
    mirrors: { "docker.io": [mirror], "quay.io": [{ ...mirror, url: "https://q/" }] },
    insecureRegistries: ["plain:5000", "10.0.0.0/8"],
    layerUrlHosts: [],
    nondistributableRegistries: ["own:5000", "10.1.0.0/16"],
    certificatesDirectory: undefined,
    mirrorLogins: undefined,
    proxies: { httpProxy: "", httpsProxy: "", noProxy: "" },
  });
  expect(shown).toEqual({
    AllowNondistributableArtifactsCIDRs: ["10.1.0.0/16"],
    AllowNondistributableArtifactsHostnames: ["own:5000"],
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8", "10.0.0.0/8"],
    IndexConfigs: {
      "docker.io": { Name: "docker.io", Mirrors: ["https://m/"], Secure: true, Official: true },
      "quay.io": { Name: "quay.io", Mirrors: ["https://q/"], Secure: true, Official: false },
      "plain:5000": { Name: "plain:5000", Mirrors: [], Secure: false, Official: false },
    },
    Mirrors: ["https://m/"],
  });
});
