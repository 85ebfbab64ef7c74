#include "schema.h"

#include <stddef.h>

#include "protocol.h"

#define NAMESPACE_WORDS "(mount|pid|network|ipc|uts|user|cgroup|time)"
#define ATTRIBUTES "{set:n clear:n}"

static const struct operation operations[OPCODE_LIMIT] = {
	[OP_JOIN_NAMESPACE] = {"join-namespace", "namespace:w" NAMESPACE_WORDS " path:s"},
	[OP_CLONE] = {"clone", "namespaces:W" NAMESPACE_WORDS},
	[OP_WRITE_ID_MAP] = {"write-id-map", "kind:w(uid|gid) map:s tool:?s"},
	[OP_WRITE_TIME_OFFSET] = {"write-time-offset", "clock:w(monotonic|boottime) secs:n nanosecs:n"},
	[OP_JOIN_CGROUP] = {"join-cgroup", "file:s"},
	[OP_UNSHARE_CGROUP] = {"unshare-cgroup", ""},

	[OP_SET_PROPAGATION] = {"set-propagation", "target:s flags:n"},
	[OP_OPEN_ROOT] = {"open-root", "source:s"},
	[OP_MOUNT] = {"mount", "fstype:s source:s target:s attributes:n data:S copyUp:b"},
	[OP_BIND] = {"bind",
		     "source:s target:s targetKind:w(directory|file) recursive:b attributes:" ATTRIBUTES
		     " attributesRecursive:b propagation:n idMap:?{uid:s gid:s}"},
	[OP_REMOUNT] = {"remount", "target:s attributes:" ATTRIBUTES " recursive:b"},
	[OP_MASK_PATH] = {"mask-path", "path:s"},
	[OP_READONLY_PATH] = {"readonly-path", "path:s"},
	[OP_PIVOT_ROOT] = {"pivot-root", "method:w(pivot|move)"},
	[OP_MAKE_ROOT_READONLY] = {"make-root-readonly", ""},

	[OP_MAKE_DEVICE] = {"make-device", "path:s kind:w(c|b|p) major:n minor:n mode:n uid:n gid:n"},
	[OP_BIND_DEVICE] = {"bind-device", "source:s path:s kind:w(c|b) major:n minor:n"},
	[OP_SYMLINK] = {"symlink", "path:s to:s"},
	[OP_CONSOLE] = {"console", "rows:n columns:n"},

	[OP_SET_HOSTNAME] = {"set-hostname", "name:s"},
	[OP_SET_DOMAINNAME] = {"set-domainname", "name:s"},
	[OP_SET_SYSCTL] = {"set-sysctl", "key:s value:s optional:b"},
	[OP_BRING_UP_LOOPBACK] = {"bring-up-loopback", ""},

	[OP_HOOK] = {"hook", "kind:s path:s args:S env:S timeoutMs:n where:w(runtime|container) directory:s state:s"},
	[OP_NEW_SESSION] = {"new-session", ""},
	[OP_NEW_KEYRING] = {"new-keyring", "name:s required:b"},
	[OP_SET_OOM_SCORE] = {"set-oom-score", "score:n"},
	[OP_SET_RLIMIT] = {"set-rlimit", "resource:n name:s soft:q hard:q"},
	[OP_SET_PERSONALITY] = {"set-personality", "domain:n"},
	[OP_SET_SCHEDULER] = {"set-scheduler",
			      "policy:n flags:n nice:n priority:n runtimeNs:q deadlineNs:q periodNs:q"},
	[OP_SET_IO_PRIORITY] = {"set-io-priority", "class:n level:n"},
	[OP_SET_CPU_AFFINITY] = {"set-cpu-affinity", "mask:B"},
	[OP_SET_MEMORY_POLICY] = {"set-memory-policy", "mode:n nodes:B"},
	[OP_SET_SECURITY_LABEL] = {"set-security-label", "file:s label:s"},
	[OP_SET_UMASK] = {"set-umask", "mask:n"},
	[OP_CHANGE_DIRECTORY] = {"change-directory", "path:s"},
	[OP_MAKE_DIRECTORY] = {"make-directory", "path:s mode:n uid:n gid:n"},
	[OP_SET_BOUNDING] = {"set-bounding", "mask:q"},
	[OP_SET_USER] = {"set-user", "uid:n gid:n additionalGids:N"},
	[OP_SET_CAPABILITIES] = {"set-capabilities", "effective:q permitted:q inheritable:q ambient:q"},
	[OP_NO_NEW_PRIVILEGES] = {"no-new-privileges", ""},
	[OP_LOAD_SECCOMP] = {"load-seccomp", "program:B flags:n listenerPath:?s listenerState:?s"},
	[OP_EXEC] = {"exec", "args:S env:S preserveFds:n"},
};

const struct operation *operation_of(uint16_t opcode)
{
	if (opcode >= OPCODE_LIMIT || !operations[opcode].name)
		return NULL;
	return &operations[opcode];
}
