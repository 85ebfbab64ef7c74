import { call } from "./syscall.ts";

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Of the open file description: whoever shares it is affected too. */
export function setNonBlocking(fd: number): void {
  const what = `make descriptor ${fd} non-blocking`;
  const flags = call("fcntl", what, fd, F_GETFL, 0);
  call("fcntl", what, fd, F_SETFL, flags | O_NONBLOCK);
}
