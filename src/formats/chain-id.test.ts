import { expect, test } from "bun:test";
import { chainIds } from "./chain-id.ts";
import { digestOf } from "./digest.ts";

test("each chain id covers the layer and all below it", () => {
  const [a, b, c] = [digestOf("a"), digestOf("b"), digestOf("c")] as const;
  const ab = digestOf(`${a} ${b}`);
  expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
  expect(chainIds([])).toEqual([]);
});
