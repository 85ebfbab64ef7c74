import { beforeAll, describe, expect, test } from "bun:test";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { dockerClient, wantedVersion } from "../../fixtures/docker-client.ts";
import { clients } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("exit-codes", ["busybox"]);

/** The start of an ELF file for a machine that is neither x86-64 nor arm64: big-endian SPARC. */
const foreignProgram = Buffer.from("7f454c4602020100000000000000000000020002b00000001", "hex");

beforeAll(async () => {
  const layer = packTar([
    ...(await busyboxFiles()),
    { name: "bin/foreign", content: Buffer.concat([foreignProgram, Buffer.alloc(64)]), mode: 0o755 },
    { name: "bin/lost-interpreter", content: "#!/opt/none/python3\nprint(1)\n", mode: 0o755 },
    { name: "bin/from-windows", content: "#!/bin/sh\r\necho hello\r\n", mode: 0o755 },
    { name: "bin/not-executable", content: "#!/bin/sh\necho hello\n", mode: 0o644 },
    { name: "bin/no-format", content: "neither a script nor a program", mode: 0o755 },
  ]);
  await machine.engine.load(
    packImage({ tags: ["oddities:latest"], layers: [layer], config: { Env: ["PATH=/bin"] } }),
  );
});

describe.each(clients)("exit codes of run, with %s", (client) => {
  const run = (...args: string[]) => machine.engine[client](["run", "--rm", ...args]);

  test.each([
    [["true"], 0],
    [["false"], 1],
    [["sh", "-c", "exit 42"], 42],
    [["sh", "-c", "kill -TERM $$"], 143],
    [["sh", "-c", "kill -KILL $$"], 137],
  ] as const)("%j ends with %d", async (argv, exitCode) => {
    // As process 1 a program gets only the signals that it handles: sh is a child here.
    const wrapped = argv[0] === "sh" ? ["sh", "-c", `sh -c '${argv[2]}'; exit $?`] : argv;
    expect((await run("busybox", ...wrapped)).exitCode).toBe(exitCode);
  });

  test.each([
    [
      "a command that is not there",
      ["no-such-command"],
      127,
      '"no-such-command": executable file not found in $PATH',
    ],
    ["a path that is not there", ["/bin/no-such-file"], 127, "/bin/no-such-file"],
    ["a file without execute permission", ["/bin/not-executable"], 126, "permission denied"],
    ["a directory", ["/etc"], 126, "/etc"],
    ["a script whose interpreter is missing", ["/bin/lost-interpreter"], 127, "/opt/none/python3"],
    ["a script with CRLF line ends", ["/bin/from-windows"], 127, "CR LF"],
    ["a program for another architecture", ["/bin/foreign"], 126, "is built for"],
    ["a file that is no program", ["/bin/no-format"], 126, "exec format error"],
  ] as const)("%s is explained", async (_name, argv, exitCode, words) => {
    const result = await run("oddities", ...argv);
    expect(result.stderr).toContain(words);
    // Docker's client tells 126 by words alone, and older ones know fewer of them.
    const words126 = (await dockerClient()).version.startsWith(wantedVersion)
      ? /permission denied|is a directory/
      : /permission denied/;
    const known = client === "gantry" || exitCode === 127 || words126.test(result.stderr);
    expect(result.exitCode).toBe(known ? exitCode : 125);
    expect(await machine.engine.must(client, "ps", "-aq")).toBe("");
  });

  test("a working directory is made, a user is looked up, the environment is set", async () => {
    const where = await run("-w", "/new/place", "busybox", "pwd");
    expect(where).toMatchObject({ exitCode: 0, stdout: "/new/place\n" });
    expect((await run("-u", "nobody", "busybox", "id", "-u")).stdout).toBe("65534\n");
    expect((await run("-e", "A=b c", "busybox", "sh", "-c", 'echo "$A"')).stdout).toBe("b c\n");
    expect((await run("--entrypoint", "echo", "busybox", "hello")).stdout).toBe("hello\n");
  });

  test("--init puts a process 1 before the program, and reaps orphans", async () => {
    const seen = await run("--init", "busybox", "sh", "-c", "echo $$; (sleep 0 &) ; cat /proc/1/comm");
    const [pid, init] = seen.stdout.trim().split("\n");
    expect(pid).not.toBe("1");
    expect(init).not.toBe("sh");
  });
});

describe.each(clients)("exit codes of exec, with %s", (client) => {
  const name = `exec-${client}`;
  beforeAll(async () => {
    await machine.engine.must(
      client,
      "run",
      "-d",
      "--name",
      name,
      "--network",
      "none",
      "oddities",
      "sleep",
      "600",
    );
  });

  test.each([
    ["an unknown user", ["-u", "nosuchuser"], ["true"], 126, "unable to find user nosuchuser"],
    ["an id out of range", ["-u", "5000000000"], ["true"], 126, "uids and gids must be in range"],
    ["a working directory that is not there", ["-w", "/nodir"], ["pwd"], 126, 'chdir to cwd ("/nodir")'],
    ["a working directory that is a file", ["-w", "/bin/busybox"], ["pwd"], 126, "not a directory"],
    ["a relative working directory", ["-w", "nodir"], ["pwd"], 126, "absolute path"],
    ["a directory", [], ["/etc"], 126, "is a directory"],
    ["a command that is not there", [], ["nix"], 127, "executable file not found in $PATH"],
  ] as const)("%s", async (_name, flags, argv, exitCode, words) => {
    const result = await machine.engine[client](["exec", ...flags, name, ...argv]);
    expect(result.stdout + result.stderr).toContain(words);
    expect(result.exitCode).toBe(exitCode);
  });
});
