import { expect, test } from "bun:test";
import { RawConnection } from "./raw-http.ts";
import { useEngine } from "./test-containers.ts";

const holder = useEngine("engine-http");

const message = async (method: string, path: string, body?: unknown): Promise<[number, string]> => {
  const response = await holder.engine.fetch(method, path, body);
  return [response.status, ((await response.json()) as { message: string }).message];
};

test("a ping names the API, on every path of it", async () => {
  for (const path of ["/_ping", "/v1.24/_ping", "/v1.51/_ping"]) {
    const response = await holder.engine.fetch("GET", path);
    expect(await response.text()).toBe("OK");
    expect(response.headers.get("api-version")).toBe("1.51");
    expect(response.headers.get("ostype")).toBe("linux");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-store, must-revalidate");
  }
});

test("HEAD /_ping has no body, and the connection goes on", async () => {
  await using connection = await RawConnection.open(holder.engine.socket);
  connection.request("HEAD", "/_ping");
  expect(await connection.head()).toContain("Content-Length: 0");
  connection.request("GET", "/_ping");
  expect(await connection.head()).toStartWith("HTTP/1.1 200 OK");
});

test.each([
  ["GET", "/nothing", 404, "page not found"],
  ["PUT", "/containers/json", 404, "page not found"],
  ["GET", "/v1.23/info", 400, "client version 1.23 is too old. Minimum supported API version is 1.24"],
  ["GET", "/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.51"],
  ["POST", "/swarm/init", 501, "swarm mode is not built into gantry yet"],
  ["POST", "/v1.41/build", 501, "building images is not built into gantry yet"],
  ["GET", "/containers/nobody/json", 404, "No such container: nobody"],
  ["GET", "/images/nobody/json", 404, "No such image: nobody:latest"],
  ["GET", "/networks/nobody", 404, "network nobody not found"],
  ["GET", "/exec/nobody/json", 404, "No such exec instance: nobody"],
  ["GET", "/volumes/nobody", 404, "no such volume"],
  ["POST", "/containers/nobody/wait", 404, "No such container: nobody"],
  ["GET", "/containers/json?filters={", 400, "invalid filter"],
  ["GET", '/containers/json?filters={"colour":{"red":true}}', 400, "invalid filter 'colour'"],
  ["GET", '/events?filters={"colour":{"red":true}}', 400, "invalid filter 'colour'"],
] as const)("%s %s is %p: %s", async (method, path, status, text) => {
  const [gotStatus, gotMessage] = await message(method, path);
  expect(gotMessage).toContain(text);
  expect(gotStatus).toBe(status);
});

test.each([
  [{ Image: "nosuch:5", Cmd: ["true"] }, 404, "No such image: nosuch:5"],
  [{ Image: "busybox", Cmd: ["true"], HostConfig: { CapAdd: ["NOPE"] } }, 400, "NOPE"],
  [
    { Image: "busybox", Cmd: ["true"], HostConfig: { NetworkMode: "nosuch" } },
    400,
    "network nosuch not found",
  ],
  [{ Image: "busybox", Cmd: ["true"], WorkingDir: "relative" }, 400, "it needs to be an absolute path"],
  [{ Image: "busybox", Cmd: ["true"], StopSignal: "NOPE" }, 400, "invalid signal: NOPE"],
  [{ Image: "busybox", Cmd: ["true"], FromTheFuture: true }, 501, "FromTheFuture"],
  [
    { Image: "busybox", Cmd: "true", HostConfig: { Binds: ["/a:relative"] } },
    400,
    "mount path must be absolute",
  ],
  [{ Image: "busybox", HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "99999" }] } } }, 400, "99999"],
  [
    { Image: "busybox", HostConfig: { Mounts: [{ Type: "bind", Source: "/nosuch", Target: "/x" }] } },
    400,
    'invalid mount config for type "bind": bind source path does not exist: /nosuch',
  ],
] as const)("creating %p is refused, and leaves nothing", async (body, status, text) => {
  const [gotStatus, gotMessage] = await message("POST", "/containers/create", body);
  expect(gotMessage).toContain(text);
  expect(gotStatus).toBe(status);
  expect(await holder.engine.json("GET", "/containers/json?all=1")).toEqual([]);
});

test("a name can be taken once", async () => {
  const body = { Image: "busybox", Cmd: ["true"] };
  const { Id } = await holder.engine.json("POST", "/containers/create?name=one", body);
  const [status, text] = await message("POST", "/containers/create?name=one", body);
  expect(status).toBe(409);
  expect(text).toBe(
    `Conflict. The container name "/one" is already in use by container "${Id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
  await holder.engine.json("DELETE", `/containers/${Id}`);
  await holder.engine.json("POST", "/containers/create?name=one", body);
  await holder.engine.json("DELETE", "/containers/one");
});

test("a body that is no JSON is refused before anything else", async () => {
  await using connection = await RawConnection.open(holder.engine.socket);
  const body = '{"Image":"busybox"} {}';
  connection.write(
    `POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await connection.head()).toStartWith("HTTP/1.1 400 Bad Request");
  expect((await connection.rest()).toString()).toContain("unexpected content after JSON");
});
