import { describe, expect, test } from "bun:test";
import { LayerHosts } from "./layer-hosts.ts";

const hosts = new LayerHosts(["files.lan:8443", "http://plain.lan", "127.0.0.1:5000", "10.1.0.0/16"]);
const policy = { alsoIn: ["10.1.0.0/16"] };

describe("the URL of a layer", () => {
  test.each([
    ["https://layers.example/a", policy],
    ["https://layers.example:444/a", policy],
    ["https://8.8.8.8/a", policy],
    ["https://10.1.2.3/a", policy],
    ["https://files.lan:8443/a", undefined],
    ["https://127.0.0.1:5000/a", undefined],
    ["http://plain.lan/a", undefined],
    ["https://plain.lan/a", undefined],
  ])("%s is asked", (url, wanted) => {
    expect(hosts.policyFor(new URL(url))).toEqual(wanted);
  });

  test.each([
    ["http://layers.example/a", "it is not encrypted"],
    ["http://files.lan:8443/a", "it is not encrypted"],
    ["http://10.1.2.3/a", "it is not encrypted"],
    ["https://u:p@layers.example/a", "it has a user name or password"],
    ["ftp://layers.example/a", "ftp is neither https nor http"],
    ["file:///etc/shadow", "file is neither https nor http"],
    ["https://localhost/a", "it is not on the public internet"],
    ["https://LOCALHOST./a", "it is not on the public internet"],
    ["https://x.localhost/a", "it is not on the public internet"],
    ["https://127.0.0.1/a", "it is not on the public internet"],
    ["https://127.0.0.1:5001/a", "it is not on the public internet"],
    ["https://2130706433/a", "it is not on the public internet"],
    ["https://0x7f.1/a", "it is not on the public internet"],
    ["https://[::ffff:127.0.0.1]/a", "it is not on the public internet"],
    ["https://169.254.169.254/latest/meta-data", "it is not on the public internet"],
    ["https://10.2.0.1/a", "it is not on the public internet"],
  ])("%s is not: %s", (url, reason) => {
    expect(() => hosts.policyFor(new URL(url))).toThrow(reason);
  });

  test("is refused with the way to allow it", () => {
    const refusal = (url: string) => {
      try {
        return hosts.policyFor(new URL(url));
      } catch (error) {
        return error;
      }
    };
    expect(refusal("http://x.example:81/a")).toMatchObject({
      code: "registry.url-refused",
      message: "http://x.example:81 is not asked: it is not encrypted",
      hint: "allow it with --layer-url-host http://x.example:81",
    });
    expect(refusal("https://10.2.0.1/a")).toMatchObject({ hint: "allow it with --layer-url-host 10.2.0.1" });
  });
});
