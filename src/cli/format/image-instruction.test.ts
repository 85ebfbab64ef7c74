import { expect, test } from "bun:test";
import { imageInstruction } from "./image-instruction.ts";

test.each([
  ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
  ["/bin/sh -c apt-get update", "RUN apt-get update"],
  ["|1 VERSION=3 /bin/sh -c make", "RUN make"],
  ["COPY a b # buildkit", "COPY a b"],
  ["RUN /bin/sh -c a &&   b\n\tc # buildkit", "RUN /bin/sh -c a && b c"],
  ["", ""],
])("%j is %j", (createdBy, instruction) => expect(imageInstruction(createdBy)).toBe(instruction));
