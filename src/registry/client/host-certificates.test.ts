import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostCertificates } from "./host-certificates.ts";

const pem = (label: string, text: string) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
const ca = pem("CERTIFICATE", "ca");
const cert = pem("CERTIFICATE", "client");
const key = pem("EC PRIVATE KEY", "key");

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-certs-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(host: string, files: Record<string, string>): void {
  mkdirSync(join(directory, host), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, host, name), text);
}
const materialFor = (host: string, trusted = host) =>
  new HostCertificates(directory).for(host, { host: trusted });

test("a host with its port has files of its own", async () => {
  write("r.example:5000", { "ca.crt": ca, "client.cert": cert, "client.key": key, "notes.txt": "x" });
  const material = await materialFor("r.example:5000");
  expect(material).toMatchObject({ cert, key });
  expect(material.ca?.at(-1)).toBe(ca);
  expect(await materialFor("r.example")).not.toHaveProperty("cert");
});

test("another host on the way is trusted by the registry's CA, and never shown its client certificate", async () => {
  write("r.example", { "ca.crt": ca, "client.cert": cert, "client.key": key });
  const material = await materialFor("tokens.example", "r.example");
  expect(material.ca?.at(-1)).toBe(ca);
  expect(material).not.toHaveProperty("cert");
  expect(material).not.toHaveProperty("key");
});

test("whom somebody else chose is shown no client certificate, also where there is one for it", async () => {
  write("r.example", { "ca.crt": ca, "client.cert": cert, "client.key": key });
  const trust = { host: "r.example", isAnonymous: true };
  const material = await new HostCertificates(directory).for("r.example", trust);
  expect(material.ca?.at(-1)).toBe(ca);
  expect(Object.keys(material)).toEqual(["ca"]);
});

test.each([
  [{ "client.cert": cert }, "missing key client.key for client certificate"],
  [{ "client.key": key }, "missing client certificate client.cert for key"],
  [{ "ca.crt": "nonsense" }, "ca.crt: no certificate in PEM form"],
  [{ "client.cert": cert, "client.key": cert }, "client.key: no private key in PEM form"],
  [{ "a.cert": cert, "a.key": key, "b.cert": cert, "b.key": key }, "more than one client certificate"],
])("%j is refused by name", async (files, message) => {
  write("r.example", files as Record<string, string>);
  await expect(materialFor("r.example")).rejects.toThrow(message);
});

test("without files there is only what the machine trusts", async () => {
  const own = await materialFor("r.example");
  expect(own).toEqual(await new HostCertificates(undefined).for("r.example", { host: "r.example" }));
  expect(own).not.toHaveProperty("cert");
});
