import { readFileSync, writeFileSync } from "node:fs";
import { packImage, packTar } from "./image-archive.ts";

/** build/hello/hello → build/hello/hello.tar: the image that `gantry` carries inside itself. */
const program = readFileSync("build/hello/hello");
const layer = packTar([{ name: "hello", content: program, mode: 0o755 }]);
writeFileSync(
  "build/hello/hello.tar",
  packImage({ tags: ["hello:latest"], layers: [layer], config: { Cmd: ["/hello"], Env: ["PATH=/"] } }),
);
