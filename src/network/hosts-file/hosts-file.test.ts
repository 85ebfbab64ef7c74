import { describe, expect, test } from "bun:test";
import { hostsFile, hostsFileOfHost } from "./hosts-file.ts";
import { hostResolvConfPath, resolvConf } from "./resolv-conf.ts";

const defaults =
  "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n" +
  "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

describe("/etc/hosts", () => {
  test("ends with the container", () => {
    const file = hostsFile({ ipAddress: "172.17.0.2", hostname: "web" });
    expect(file).toBe(`${defaults}172.17.0.2\tweb\n`);
  });

  test("has the full name first", () => {
    const file = hostsFile({ ipAddress: "172.17.0.2", hostname: "web", domainname: "example.org" });
    expect(file.slice(defaults.length)).toBe("172.17.0.2\tweb.example.org web\n");
  });

  test("without a network has the defaults", () => {
    expect(hostsFile({ ipAddress: undefined, hostname: "web" })).toBe(defaults);
  });

  test.each([
    ["db:10.0.0.1", "10.0.0.1\tdb\n"],
    ["db=10.0.0.1", "10.0.0.1\tdb\n"],
    ["db:::1", "::1\tdb\n"],
    ["db=[::1]", "::1\tdb\n"],
    ["host:host-gateway", "172.17.0.1\thost\n"],
  ])("extra host %s", (extraHost, wanted) => {
    const request = { hostname: "web", extraHosts: [extraHost], hostGateway: "172.17.0.1" };
    expect(hostsFile({ ...request, ipAddress: undefined }).slice(defaults.length)).toBe(wanted);
  });

  test.each(["db", ":1.2.3.4", "db:", ""])("extra host %p is refused", (extraHost) => {
    expect(() => hostsFile({ ipAddress: undefined, hostname: "web", extraHosts: [extraHost] })).toThrow(
      `bad format for add-host: "${extraHost}"`,
    );
  });

  test("on the host's network is the host's", () => {
    expect(hostsFileOfHost("127.0.0.1 box", { extraHosts: ["db:10.0.0.1"] })).toBe(
      "127.0.0.1 box\n10.0.0.1\tdb\n",
    );
  });
});

describe("/etc/resolv.conf", () => {
  const host =
    "# made by hand\ndomain old.org\nnameserver 127.0.0.1\nnameserver 10.0.0.53 ; inner\nnameserver fd00::1\nsearch a.org b.org\noptions ndots:2\noptions rotate\n";

  test("leaves out what the container cannot reach", () => {
    expect(resolvConf({ hostFile: host, hostNetwork: false })).toBe(
      "nameserver 10.0.0.53\nsearch a.org b.org\noptions ndots:2 rotate\n",
    );
  });

  test("falls back to Docker's servers", () => {
    expect(resolvConf({ hostFile: "nameserver 127.0.0.53\n", hostNetwork: false })).toBe(
      "nameserver 8.8.8.8\nnameserver 8.8.4.4\n",
    );
  });

  test("keeps all servers on the host's network", () => {
    expect(resolvConf({ hostFile: "nameserver ::1\nnameserver 127.0.0.1\n", hostNetwork: true })).toBe(
      "nameserver ::1\nnameserver 127.0.0.1\n",
    );
  });

  test("takes what the user gave", () => {
    const request = { dns: ["1.1.1.1"], dnsSearch: ["."], dnsOptions: ["timeout:1"] };
    expect(resolvConf({ hostFile: host, hostNetwork: false, ...request })).toBe(
      "nameserver 1.1.1.1\noptions timeout:1\n",
    );
  });

  test("of systemd-resolved stands elsewhere", () => {
    expect(hostResolvConfPath("nameserver 127.0.0.53\n")).toBe("/run/systemd/resolve/resolv.conf");
    expect(hostResolvConfPath("nameserver 10.0.0.1\n")).toBe("/etc/resolv.conf");
  });
});
