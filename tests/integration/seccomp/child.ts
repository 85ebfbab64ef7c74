/** Loads the default filter on all threads of this process, then tells what some system calls return. */
import { addon } from "../../../src/kernel/addon.ts";
import { detectHost } from "../../../src/kernel/host-facts.ts";
import { nr } from "../../../src/kernel/syscall.ts";
import { defaultCapabilities } from "../../../src/runtime/capabilities.ts";
import { compileSeccomp } from "../../../src/runtime/seccomp/compile-bpf.ts";
import { defaultSeccompProfile } from "../../../src/runtime/seccomp/default-profile.ts";
import { resolveProfile } from "../../../src/runtime/seccomp/resolve-profile.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;

const host = detectHost();
const profile = resolveProfile(defaultSeccompProfile, defaultCapabilities, host);
const program = compileSeccomp(profile, host.architecture);
const structure = new Uint8Array(16); // struct sock_fprog
const view = new DataView(structure.buffer);
view.setUint16(0, program.length / 8, true);
view.setBigUint64(8, addon.address(program), true);

const loaded = [
  addon.syscall(nr.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
  addon.syscall(nr.seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, structure),
];
console.log(
  JSON.stringify({
    loaded,
    getpid: addon.syscall(nr.getpid) === process.pid,
    mount: addon.syscall(nr.mount, null, null, null, 0, null),
    unshare: addon.syscall(nr.unshare, 0x20000),
    clone3: addon.syscall(nr.clone3, null, 0),
    newer: addon.syscall(900),
    algSocket: addon.syscall(nr.socket, 38, 5, 0),
    unixSocket: addon.syscall(nr.socket, 1, 1, 0) >= 0,
  }),
);
