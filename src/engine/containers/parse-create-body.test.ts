import { expect, test } from "bun:test";
import { detectHost } from "../../kernel/host-facts.ts";
import { parseCreateBody } from "./parse-create-body.ts";

const host = detectHost();
const parse = (body: Record<string, unknown>) => parseCreateBody(body, host);

test("what the Docker client sends for a plain run is taken", () => {
  const body = {
    Image: "busybox",
    Cmd: ["true"],
    Volumes: {},
    Healthcheck: null,
    HostConfig: {
      NetworkMode: "default",
      LogConfig: { Type: "", Config: {} },
      RestartPolicy: { Name: "no" },
    },
    NetworkingConfig: {
      EndpointsConfig: { default: { IPAMConfig: null, Links: null, MacAddress: "", GwPriority: 0 } },
    },
  };
  expect(parse(body).config.Cmd).toEqual(["true"]);
});

test("a field that is not set may be unknown, one that is set may not", () => {
  expect(() => parse({ Image: "busybox", FromTheFuture: "" })).not.toThrow();
  expect(() => parse({ Image: "busybox", FromTheFuture: 1 })).toThrow(
    "FromTheFuture is not built into gantry",
  );
  expect(() => parse({ HostConfig: { FromTheFuture: ["x"] } })).toThrow(
    "HostConfig.FromTheFuture is not built into gantry",
  );
});

test.each([
  [{ Cmd: 5 }, "Cmd: expected an array"],
  [{ HostConfig: [] }, "HostConfig: expected an object"],
  [{ HostConfig: { VolumesFrom: ["db"] } }, "HostConfig.VolumesFrom (--volumes-from) is not supported"],
  [{ HostConfig: { NetworkMode: "container:db" } }, "--network container:db"],
  [
    { HostConfig: { NetworkMode: "bridge" }, NetworkingConfig: { EndpointsConfig: { other: {} } } },
    "connecting a container to other beside bridge",
  ],
  [
    { NetworkingConfig: { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: "172.17.0.9" } } } } },
    "EndpointsConfig.bridge.IPAMConfig is not built",
  ],
])("%p is refused: %p", (body, message) => {
  expect(() => parse(body)).toThrow(message);
});
