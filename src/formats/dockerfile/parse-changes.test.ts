// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
import { expect, test } from "bun:test";
import type { ImageConfig } from "../oci-image.ts";
import { applyInstructions } from "./apply-instruction.ts";
import { parseChanges } from "./parse-changes.ts";
import { parseConfigInstruction, splitInstruction } from "./parse-instruction.ts";

const apply = (config: ImageConfig, ...changes: string[]) => applyInstructions(config, parseChanges(changes));

test.each<[string, ImageConfig]>([
  ['CMD ["a", "b c"]', { Cmd: ["a", "b c"] }],
  ["cmd echo $HOME 'x  y'", { Cmd: ["/bin/sh", "-c", "echo $HOME 'x  y'"] }],
  ["CMD [a, b]", { Cmd: ["/bin/sh", "-c", "[a, b]"] }],
  ["CMD", { Cmd: [] }],
  ['ENTRYPOINT ["/x"]', { Entrypoint: ["/x"] }],
  ['ENV a=1 b="two words" c=x\\ y', { Env: ["a=1", "b=two words", "c=x y"] }],
  ["ENV name the   whole text", { Env: ["name=the   whole text"] }],
  ["ENV a=1 \\\n  # comment\n  b=$a", { Env: ["a=1", "b="] }],
  ["ENV a=1\nENV b=$a-${a}", { Env: ["a=1", "b=1-1"] }],
  ['LABEL a.b="x" "c d"=\'$y\'', { Labels: { "a.b": "x", "c d": "$y" } }],
  ["EXPOSE 80 53/UDP 90-91", { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "90/tcp": {}, "91/tcp": {} } }],
  ['ENV p="1 2"\nEXPOSE $p', { Env: ["p=1 2"], ExposedPorts: { "1/tcp": {}, "2/tcp": {} } }],
  ["VOLUME /a /b", { Volumes: { "/a": {}, "/b": {} } }],
  ['VOLUME ["/a b"]', { Volumes: { "/a b": {} } }],
  ["USER 1000:1000", { User: "1000:1000" }],
  ["WORKDIR /a\nWORKDIR ../b/", { WorkingDir: "/b" }],
  ["STOPSIGNAL SIGTERM", { StopSignal: "SIGTERM" }],
  ["ONBUILD RUN make\nONBUILD copy . /", { OnBuild: ["RUN make", "copy . /"] }],
  ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
  [
    "HEALTHCHECK --interval=5m --timeout=3s --start-period=1s --start-interval=2s --retries=4 CMD curl -f x || exit 1",
    {
      Healthcheck: {
        Test: ["CMD-SHELL", "curl -f x || exit 1"],
        Interval: 300e9,
        Timeout: 3e9,
        StartPeriod: 1e9,
        StartInterval: 2e9,
        Retries: 4,
      },
    },
  ],
  ['HEALTHCHECK CMD ["x"]', { Healthcheck: { Test: ["CMD", "x"] } }],
])("%s", (change, config) => {
  expect(apply({}, change)).toEqual(config);
});

test("what was there before stays, or gives way", () => {
  const before = {
    Env: ["a=old", "keep=1"],
    Labels: { l: "1" },
    Cmd: ["old"],
    WorkingDir: "/srv",
    Shell: ["/bin/ash"],
  };
  expect(apply(before, "ENV a=new b=$keep", "LABEL m=2", "WORKDIR sub", "CMD x")).toEqual({
    ...before,
    Env: ["a=new", "keep=1", "b=1"],
    Labels: { l: "1", m: "2" },
    WorkingDir: "/srv/sub",
    Cmd: ["/bin/ash", "x"],
  });
});

test("an entrypoint takes an inherited command away, but not one of its own", () => {
  expect(apply({ Cmd: ["old"] }, 'ENTRYPOINT ["e"]')).toEqual({ Entrypoint: ["e"] });
  expect(apply({ Cmd: ["old"] }, 'CMD ["new"]', 'ENTRYPOINT ["e"]')).toEqual({
    Entrypoint: ["e"],
    Cmd: ["new"],
  });
});

test.each([
  ["RUN make", "RUN is not a valid change command"],
  ['SHELL ["/bin/bash"]', "SHELL is not a valid change command"],
  ["FROM x", "FROM is not a valid change command"],
  ["nonsense", "NONSENSE is not a valid change command"],
  ["ENV a", "ENV must have two arguments"],
  ["ENV", "ENV requires at least one argument"],
  ["ENV a=1 b", 'can\'t find = in "b"'],
  ["ENV =1", "ENV names can not be blank"],
  ['ENV a="open', "double-quote"],
  ["EXPOSE x", "invalid containerPort: x"],
  ["EXPOSE 90-80", "invalid containerPort: 90-80"],
  ["EXPOSE 70000", "invalid containerPort: 70000"],
  ["EXPOSE 80/icmp", "invalid proto: icmp"],
  ['VOLUME [""]', "VOLUME specified can not be an empty string"],
  ["USER", "USER requires exactly one argument"],
  ["CMD --flag x", "unknown flag: flag"],
  ["ONBUILD ONBUILD RUN x", "Chaining ONBUILD"],
  ["ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
  ["HEALTHCHECK", "HEALTHCHECK requires at least one argument"],
  ["HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
  ["HEALTHCHECK RUN x", 'Unknown type "RUN" in HEALTHCHECK (try CMD)'],
  ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
  ["HEALTHCHECK --interval=1us CMD x", "cannot be less than 1ms"],
  ["HEALTHCHECK --interval=soon CMD x", "invalid duration"],
  ["HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative"],
  ["HEALTHCHECK --often=1s CMD x", "unknown flag: often"],
])("%s is refused", (change, message) => {
  expect(() => apply({}, change)).toThrow(message);
});

test("SHELL is read for builds", () => {
  const read = (text: string) => parseConfigInstruction("SHELL", splitInstruction(text));
  expect(read('SHELL ["/bin/bash", "-c"]')).toEqual({ name: "SHELL", words: ["/bin/bash", "-c"] });
  expect(() => read("SHELL bash")).toThrow("JSON form");
});
