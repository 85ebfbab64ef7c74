import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import { embeddedContent } from "./embedded-data.ts";

const descriptorOf = (text: string, data?: string) => ({
  mediaType: mediaTypes.ociEmpty,
  digest: digestOf(text),
  size: text.length,
  ...(data === undefined ? {} : { data }),
});

test.each(["{}", "abc", "\xff?>", ""])("%p is what its base64 says", (text) => {
  const bytes = Buffer.from(text, "latin1");
  const descriptor = {
    ...descriptorOf("", bytes.toString("base64")),
    size: bytes.length,
    digest: digestOf(bytes),
  };
  expect(embeddedContent(descriptor)).toEqual(bytes);
});

test.each<[string, ReturnType<typeof descriptorOf>]>([
  ["none", descriptorOf("{}")],
  ["other content", descriptorOf("{}", btoa("[]"))],
  ["longer content", descriptorOf("{}", btoa("{}\n"))],
  ["shorter content", { ...descriptorOf("{}", btoa("{}")), size: 3 }],
  ["no base64", descriptorOf("{}", "e30*")],
  ["base64 of URLs", descriptorOf("\xff?>", "_z8-")],
  ["no padding", descriptorOf("{}", "e30")],
])("%s is not used", (_, descriptor) => expect(embeddedContent(descriptor)).toBeUndefined());
