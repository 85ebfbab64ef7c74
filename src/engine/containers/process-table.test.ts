import { describe, expect, test } from "bun:test";
import { parsePsArguments, selectProcesses } from "./process-table.ts";

describe("the processes of a container", () => {
  const pids = new Set([20, 30]);

  test.each([
    [
      "are chosen by pid",
      "PID CMD\n 1 init\n 20 sh\n 21 x\n 30 sleep\n",
      [
        ["20", "sh"],
        ["30", "sleep"],
      ],
    ],
    ["keep their command lines", "UID PID CMD\nroot 20 sh -c 'a  b'\n", [["root", "20", "sh -c 'a b'"]]],
    [
      "have the threads below them",
      "PID CMD\n1 init\n- a\n20 sh\n- b\n- c\n",
      [
        ["20", "sh"],
        ["-", "b"],
        ["-", "c"],
      ],
    ],
    ["may be none", "PID CMD\n", []],
    ["may end with the pid", "CMD PID\nsh 20\n", [["sh", "20"]]],
  ])("%s", (_, output, processes) => {
    expect(selectProcesses(output, pids).processes).toEqual(processes);
  });

  test("need a column PID", () => {
    expect(() => selectProcesses("COMMAND\nsh\n", pids)).toThrow("Couldn't find PID field in ps output");
  });
});

describe("arguments of ps", () => {
  test.each([
    ["-ef", ["-ef"]],
    ["  -o pid,comm ", ["-o", "pid,comm"]],
    ["-o pid=,comm", ["-o", "pid=,comm"]],
    ["-o ppid=PARENT,pid", ["-o", "ppid=PARENT,pid"]],
    ["", []],
  ])("%p", (text, words) => {
    expect(parsePsArguments(text)).toEqual(words);
  });

  test.each(["-o ppid=PID", "-eo pid,ppid=PID", "-o ppid= PID", "-oppid=PID,comm"])(
    "%p is refused",
    (text) => {
      expect(() => parsePsArguments(text)).toThrow("is not allowed");
    },
  );
});
