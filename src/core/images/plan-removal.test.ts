import { describe, expect, test } from "bun:test";
import { familiarReference, parseReference } from "../../formats/reference.ts";
import { planRemoval } from "./plan-removal.ts";

const hex = "0123456789abcdef".repeat(4);
const id = `sha256:${hex}` as const;
const digest = `sha256:${"a".repeat(64)}`;
const running = { containerId: "c".repeat(64), running: true };
const stopped = { containerId: "d".repeat(64), running: false };

function plan(
  given: string,
  references: string[],
  options: { force?: boolean; users?: (typeof running)[] } = {},
) {
  const { untag, deleteImage } = planRemoval({
    id,
    references: references.map(parseReference),
    given,
    force: options.force ?? false,
    users: options.users ?? [],
  });
  return [...untag.map(familiarReference), ...(deleteImage ? ["deleted"] : [])];
}

describe("by name", () => {
  test.each([
    ["a", ["a:latest"], ["a:latest", "deleted"]],
    ["a:1", ["a:1", "a:2"], ["a:1"]],
    ["a:1", ["a:1", `a@${digest}`], ["a:1", `a@${digest}`, "deleted"]],
    // The digest belongs to the tag that stays.
    ["a:1", ["a:1", "a:2", `a@${digest}`], ["a:1"]],
    // Another repository keeps the image.
    ["a:1", ["a:1", "b:1", `a@${digest}`, `b@${digest}`], ["a:1", `a@${digest}`]],
    [`a@${digest}`, ["a:1", `a@${digest}`], [`a@${digest}`]],
    [`a:9@${digest}`, [`a@${digest}`], [`a@${digest}`, "deleted"]],
  ])("rmi %s of %j: %j", (given, references, wanted) => {
    expect(plan(given, references)).toEqual(wanted);
  });

  test("the last name of an image that a container uses", () => {
    expect(() => plan("a", ["a:latest"], { users: [stopped] })).toThrow(
      'conflict: unable to remove repository reference "a" (must force) - ' +
        "container dddddddddddd is using its referenced image 0123456789ab",
    );
    expect(plan("a", ["a:latest"], { users: [stopped], force: true })).toEqual(["a:latest", "deleted"]);
    // A running container keeps the image, which loses its name.
    expect(plan("a", ["a:latest"], { users: [running], force: true })).toEqual(["a:latest"]);
  });

  test("one of several names can always go", () => {
    expect(plan("a:1", ["a:1", "a:2"], { users: [running] })).toEqual(["a:1"]);
  });
});

describe("by id", () => {
  test.each([hex, id, hex.slice(0, 12), `sha256:${hex.slice(0, 5)}`])(
    "rmi %s takes all names along",
    (given) => {
      expect(plan(given, ["a:1", `a@${digest}`])).toEqual(["a:1", `a@${digest}`, "deleted"]);
      expect(plan(given, [])).toEqual(["deleted"]);
    },
  );

  test("names of several repositories need force", () => {
    const message =
      "conflict: unable to delete 0123456789ab (must be forced) - image is referenced in multiple repositories";
    expect(() => plan(hex, ["a:1", "b:1"])).toThrow(message);
    expect(() => plan(hex, ["a:1", "a:2"])).toThrow(message);
    expect(plan(hex, ["a:1", "b:1"], { force: true })).toEqual(["a:1", "b:1", "deleted"]);
  });

  test("containers stand in the way: a stopped one until it is forced, a running one always", () => {
    expect(() => plan(hex, ["a:1"], { users: [stopped] })).toThrow(
      "conflict: unable to delete 0123456789ab (must be forced) - " +
        "image is being used by stopped container dddddddddddd",
    );
    expect(plan(hex, ["a:1"], { users: [stopped], force: true })).toEqual(["a:1", "deleted"]);
    expect(() => plan(hex, ["a:1"], { users: [stopped, running], force: true })).toThrow(
      "conflict: unable to delete 0123456789ab (cannot be forced) - " +
        "image is being used by running container cccccccccccc",
    );
  });
});
