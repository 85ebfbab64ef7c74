import { expect, test } from "bun:test";
import { socksDialogue } from "./socks-dialogue.ts";

/** Everything that is sent, where the proxy gives these answers one after the other. */
function sentFor(target: string, proxy: string, answers: readonly (readonly number[])[]): number[][] {
  const dialogue = socksDialogue(new URL(target), new URL(proxy));
  const sent: number[][] = [];
  let turn = dialogue.next(new Uint8Array());
  for (const answer of answers) {
    if (turn.done) throw new Error("it is over already");
    sent.push([...turn.value.send]);
    expect(turn.value.expect).toBe(answer.length);
    turn = dialogue.next(Uint8Array.from(answer));
  }
  expect(turn.done).toBe(true);
  return sent;
}

const granted = [5, 0, 0, 1];
const bound4 = [0, 0, 0, 0, 0, 0];
const name = [...Buffer.from("r.example")];

test.each([
  ["https://r.example/v2/", [3, 9, ...name, 1, 187]],
  ["http://r.example/", [3, 9, ...name, 0, 80]],
  ["https://r.example:5000/", [3, 9, ...name, 19, 136]],
  ["https://192.0.2.7/", [1, 192, 0, 2, 7, 1, 187]],
  ["https://[2001:db8::7]/", [4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 187]],
  ["https://[::1]/", [4, ...Array<number>(15).fill(0), 1, 1, 187]],
])("%s without a login is asked for as %j", (target, address) => {
  const sent = sentFor(target, "socks5://p", [[5, 0], granted, bound4]);
  expect(sent).toEqual([[5, 1, 0], [5, 1, 0, ...address], []]);
});

test("user and password are told where the proxy wants them, decoded", () => {
  const answers = [[5, 2], [1, 0], granted, bound4];
  const [offer, login] = sentFor("https://r.example", "socks5h://u:p%40@p", answers);
  expect(offer).toEqual([5, 2, 0, 2]);
  expect(login).toEqual([1, 1, 117, 2, 112, 64]);
  expect(sentFor("https://r.example", "socks5://u:p@p", [[5, 0], granted, bound4])[1]?.[1]).toBe(1);
});

test("the address at the end may have any of its forms", () => {
  const target = "https://r.example";
  sentFor(target, "socks5://p", [[5, 0], [5, 0, 0, 4], Array(18).fill(0)]);
  sentFor(target, "socks5://p", [[5, 0], [5, 0, 0, 3], [2], [65, 66, 0, 80]]);
});

test.each([
  [[[72, 84]], "it does not speak SOCKS 5"],
  [[[5, 255]], "no acceptable authentication methods"],
  [[[5, 1]], "no acceptable authentication methods"],
  [
    [
      [5, 2],
      [1, 1],
    ],
    "username/password authentication failed",
  ],
  [
    [
      [5, 0],
      [5, 1, 0, 1],
    ],
    "general SOCKS server failure",
  ],
  [
    [
      [5, 0],
      [5, 2, 0, 1],
    ],
    "connection not allowed by ruleset",
  ],
  [
    [
      [5, 0],
      [5, 5, 0, 1],
    ],
    "connection refused",
  ],
  [
    [
      [5, 0],
      [5, 99, 0, 1],
    ],
    "unknown code: 99",
  ],
  [
    [
      [5, 0],
      [5, 0, 0, 9],
    ],
    "unknown address type: 9",
  ],
])("the answers %j are a refusal: %s", (answers, statusText) => {
  const failure = (() => {
    try {
      return sentFor("https://r.example", "socks5://u:p@p", answers);
    } catch (error) {
      return error;
    }
  })();
  expect(failure).toMatchObject({ code: "ERR_PROXY_TUNNEL", statusText });
});

test("a proxy without a login gets none", () => {
  expect(() => sentFor("https://r.example", "socks5://p", [[5, 2]])).toThrow("no acceptable");
});

test("a name that is too long is refused here", () => {
  const target = `https://${"a".repeat(60)}.`.concat(`${"b".repeat(60)}.`.repeat(4), "example");
  expect(() => sentFor(target, "socks5://p", [[5, 0]])).toThrow("longer than 255 bytes");
});
