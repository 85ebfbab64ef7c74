import { isRange } from "../../registry/client/address-ranges.ts";
import type { RegistrySettings } from "../../registry/client/registry-settings.ts";

const dockerHub = "docker.io";
/** Registries on loopback may always speak plain HTTP. */
const loopback = ["::1/128", "127.0.0.0/8"];

const orNull = (list: readonly string[]) => (list.length > 0 ? list : null);

/** How `info` shows the settings of registries. engine-api.yaml, RegistryServiceConfig. */
export function registryConfig({
  mirrors,
  insecureRegistries,
  nondistributableRegistries,
}: RegistrySettings): object {
  const insecureHosts = insecureRegistries.filter((entry) => !isRange(entry));
  const names = [...new Set([dockerHub, ...Object.keys(mirrors), ...insecureHosts])];
  const urls = (name: string): string[] => (mirrors[name] ?? []).map(({ url }) => url);
  const hubMirrors = urls(dockerHub);
  return {
    AllowNondistributableArtifactsCIDRs: orNull(nondistributableRegistries.filter(isRange)),
    AllowNondistributableArtifactsHostnames: orNull(
      nondistributableRegistries.filter((entry) => !isRange(entry)),
    ),
    InsecureRegistryCIDRs: [...loopback, ...insecureRegistries.filter(isRange)],
    IndexConfigs: Object.fromEntries(
      names.map((Name) => [
        Name,
        { Name, Mirrors: urls(Name), Secure: !insecureHosts.includes(Name), Official: Name === dockerHub },
      ]),
    ),
    Mirrors: orNull(hubMirrors),
  };
}
