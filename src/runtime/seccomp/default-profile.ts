import type { ProfileRule, RuleCondition, SeccompProfile } from "./profile.ts";

/**
 * Docker's default seccomp profile: system calls that programs need are allowed, those which reach past the container's borders
 * only together with the capability for them; everything else fails with EPERM.
 */
export const defaultSeccompProfile: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1, // EPERM
  archMap: [
    family("X86_64", "X86", "X32"),
    family("AARCH64", "ARM"),
    family("MIPS64", "MIPS", "MIPS64N32"),
    family("MIPS64N32", "MIPS", "MIPS64"),
    family("MIPSEL64", "MIPSEL", "MIPSEL64N32"),
    family("MIPSEL64N32", "MIPSEL", "MIPSEL64"),
    family("S390X", "S390"),
    family("RISCV64"),
    family("LOONGARCH64"),
  ],
  syscalls: [
    allow(`
    accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
    clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
    eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate
    fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
    fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
    ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat
    getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
    getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid
    getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt
    get_thread_area gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents
    io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule
    landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount
    listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise
    map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
    mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
    mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock
    munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause
    pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64
    prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev
    pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe
    rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr
    sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
    sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64
    sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32
    setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setuid32
    setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask
    sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat
    sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
    timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask
    uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid
    waitpid write writev
    `),
    // Before 4.8 a tracer could slip past a filter.
    allow("process_vm_readv process_vm_writev ptrace", { includes: { minKernel: "4.8" } }),
    // Not AF_ALG (38), not AF_VSOCK (40): both reach the host's kernel or hypervisor.
    allowFirst("socket", "SCMP_CMP_LT", 38),
    allowFirst("socket", "SCMP_CMP_EQ", 39),
    allowFirst("socket", "SCMP_CMP_GT", 40),
    // PER_LINUX, PER_LINUX32, UNAME26, both together, and asking.
    ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((domain) =>
      allowFirst("personality", "SCMP_CMP_EQ", domain),
    ),
    allow("sync_file_range2 swapcontext", on("ppc64le")),
    allow(
      "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
      on("arm", "arm64"),
    ),
    allow("arch_prctl", on("amd64", "x32")),
    allow("modify_ldt", on("amd64", "x32", "x86")),
    allow("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", on("s390", "s390x")),
    allow("riscv_flush_icache", on("riscv64")),
    allow("open_by_handle_at", having("CAP_DAC_READ_SEARCH")),
    allow(
      `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
       lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
       setdomainname sethostname setns syslog umount umount2 unshare`,
      having("CAP_SYS_ADMIN"),
    ),
    withoutNewNamespaces(0, { excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"] } }),
    // There the flags are the second argument.
    withoutNewNamespaces(1, {
      includes: { arches: ["s390", "s390x"] },
      excludes: { caps: ["CAP_SYS_ADMIN"] },
    }),
    // A filter cannot look at the flags of clone3, which are in memory: ENOSYS makes the C library take clone.
    {
      names: ["clone3"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 38,
      excludes: { caps: ["CAP_SYS_ADMIN"] },
    },
    allow("reboot", having("CAP_SYS_BOOT")),
    allow("chroot", having("CAP_SYS_CHROOT")),
    allow("delete_module init_module finit_module", having("CAP_SYS_MODULE")),
    allow("acct", having("CAP_SYS_PACCT")),
    allow(
      "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
      having("CAP_SYS_PTRACE"),
    ),
    allow("iopl ioperm", having("CAP_SYS_RAWIO")),
    allow("settimeofday stime clock_settime clock_settime64", having("CAP_SYS_TIME")),
    allow("vhangup", having("CAP_SYS_TTY_CONFIG")),
    allow("get_mempolicy mbind set_mempolicy set_mempolicy_home_node", having("CAP_SYS_NICE")),
    allow("syslog", having("CAP_SYSLOG")),
    allow("bpf", having("CAP_BPF")),
    allow("perf_event_open", having("CAP_PERFMON")),
  ],
};

type Conditions = Pick<ProfileRule, "includes" | "excludes">;

function family(architecture: string, ...subArchitectures: string[]) {
  return {
    architecture: `SCMP_ARCH_${architecture}`,
    subArchitectures: subArchitectures.map((name) => `SCMP_ARCH_${name}`),
  };
}

function allow(names: string, conditions: Conditions = {}): ProfileRule {
  return { names: names.trim().split(/\s+/), action: "SCMP_ACT_ALLOW", ...conditions };
}

/** Allows a call by its first argument. */
function allowFirst(
  name: string,
  op: "SCMP_CMP_LT" | "SCMP_CMP_EQ" | "SCMP_CMP_GT",
  value: number,
): ProfileRule {
  return { names: [name], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value, op }] };
}

/** clone without any of CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
function withoutNewNamespaces(flagsIndex: number, conditions: Conditions): ProfileRule {
  return {
    names: ["clone"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: flagsIndex, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    ...conditions,
  };
}

function having(...caps: string[]): { includes: RuleCondition } {
  return { includes: { caps } };
}

function on(...arches: string[]): { includes: RuleCondition } {
  return { includes: { arches } };
}
