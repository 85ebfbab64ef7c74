import { describe, expect, test } from "bun:test";
import { marshal } from "./marshal.ts";
import { type DBusMessage, decodeMessage, encodeMessage, messageLength } from "./message.ts";
import { parseSignature } from "./signature.ts";
import { unmarshal } from "./unmarshal.ts";
import { type DBusValue, variant } from "./values.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");

/** What dbus-send wrote for one argument of each type it has, as dbus-monitor of dbus 1.14 recorded it. */
const everyType = {
  message:
    "6c04010184000000010000009000000001016f00040000002f612f6200000000020173000d000000636f6d2e6578616d706c652e490000000301730002000000446f0000000000000601730012000000636f6d2e6578616d706c652e4e6f626f64790000000000000801670013796e71697578746462736f617376617b73697d0000000000000000070173000f0000003a6e6f742e6163746976652e796574000700feff03000000fcffffff05000000faffffffffffffff0700000000000000000000000000f83f010000000500000068656c6c6f000000040000002f782f79000000000f0000000100000061000000020000006262000175000000090000001c00000000000000030000006f6e650001000000000000000300000074776f0002000000",
  signature: "ynqiuxtdbsoasva{si}",
  body: [
    ...[7, -2, 3, -4, 5, -6n, 7n, 1.5, true, "hello", "/x/y"],
    ...[
      ["a", "bb"],
      variant("u", 9),
      [
        ["one", 1],
        ["two", 2],
      ],
    ],
  ] as DBusValue[],
};

/** What busctl of systemd 252 wrote for a call of StartTransientUnit. */
const startUnit = {
  message:
    "6c010401f000000002000000bd00000001016f00190000002f6f72672f667265656465736b746f702f73797374656d643100000000000000030173001200000053746172745472616e7369656e74556e697400000000000002017300200000006f72672e667265656465736b746f702e73797374656d64312e4d616e6167657200000000000000000601730012000000636f6d2e6578616d706c652e4e6f626f647900000000000008016700107373612873762961287361287376292900000007017300040000003a312e31000000000d00000072756e632d63312e73636f7065000000070000007265706c61636500c3000000000000000800000044656c6567617465000162000100000000000000040000005049447300026175000000000400000067120000090000004d656d6f72794d6178000174000000000000000000000004000000000b000000416c6c6f7765644350557300026179000200000003000000000000000b000000446576696365416c6c6f77000561287373290000330000000000000008000000636861722d707473000000000300000072776d000d0000002f6465762f636861722f313a33000000020000007277000000000000",
  signature: "ssa(sv)a(sa(sv))",
  body: [
    "runc-c1.scope",
    "replace",
    [
      ["Delegate", variant("b", true)],
      ["PIDs", variant("au", [4711])],
      ["MemoryMax", variant("t", 67108864n)],
      ["AllowedCPUs", variant("ay", new Uint8Array([3, 0]))],
      [
        "DeviceAllow",
        variant("a(ss)", [
          ["char-pts", "rwm"],
          ["/dev/char/1:3", "rw"],
        ]),
      ],
    ],
    [],
  ] as DBusValue[],
};

describe("against the bytes of others", () => {
  test.each([
    ["dbus-send", everyType],
    ["busctl", startUnit],
  ])("the body of %s is written and read", (_, { message, signature, body }) => {
    const whole = bytes(message);
    const written = marshal(signature, body);
    expect(hex(written)).toBe(hex(whole.subarray(whole.length - written.length)));
    expect(unmarshal(signature, written)).toEqual(body);
    expect(messageLength(whole)).toBe(whole.length);
    expect(decodeMessage(whole)).toMatchObject({ signature, body });
  });

  test("the fields of the header are read", () => {
    expect(decodeMessage(bytes(startUnit.message))).toMatchObject({
      type: "call",
      serial: 2,
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "StartTransientUnit",
      destination: "com.example.Nobody",
      sender: ":1.1",
    });
  });
});

describe("messages", () => {
  const message: DBusMessage = {
    type: "error",
    serial: 3,
    replySerial: 2,
    errorName: "org.example.No",
    signature: "s",
    body: ["no"],
  };

  test("are read as they were written", () => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  test("say how long they are once 16 bytes are there", () => {
    const whole = encodeMessage(message);
    expect(messageLength(whole.subarray(0, 15))).toBeUndefined();
    expect(messageLength(whole.subarray(0, 16))).toBe(whole.length);
  });

  test("that are cut off anywhere, or have no byte order, are refused", () => {
    const whole = encodeMessage(message);
    for (let length = 16; length < whole.length; length++)
      expect(() => decodeMessage(whole.subarray(0, length))).toThrow();
    expect(() => messageLength(new Uint8Array(16))).toThrow("no byte order");
  });

  test("of the other byte order are read", () => {
    expect(unmarshal("qut", bytes("01020000000000030000000000000000"), false)).toEqual([258, 3, 0n]);
  });
});

describe("values", () => {
  test.each([
    ["y", 256],
    ["y", -1],
    ["n", 32768],
    ["i", 2 ** 31],
    ["u", -1],
    ["u", 1.5],
    ["t", -1n],
    ["b", 1],
    ["s", 1],
    ["s", "a\0b"],
    ["o", "no/path"],
    ["o", "/ends/"],
    ["g", "z"],
    ["v", "bare"],
    ["as", "text"],
    ["as", new Uint8Array(1)],
    ["(su)", ["one"]],
  ] as [string, DBusValue][])("of type %s are checked: %p", (signature, value) => {
    expect(() => marshal(signature, [value])).toThrow();
  });

  test("an array's padding does not count", () => {
    expect(hex(marshal("at", [[]]))).toBe("0000000000000000");
    expect(hex(marshal("ya(y)", [1, [[2]]]))).toBe("010000000100000002");
  });
});

test.each(["a", "(", "()", "a{vs}", "a{s}", "{ss}", "z", `${"a".repeat(70)}y`, "s".repeat(256)])(
  "%p is no signature",
  (signature) => {
    expect(() => parseSignature(signature)).toThrow("no signature");
  },
);
