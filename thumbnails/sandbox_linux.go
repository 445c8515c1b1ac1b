package thumbnails

import (
	"fmt"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
)

// forbidden are the system calls that a process which renders has no use for: whatever opens or changes files, speaks to
// others, starts programs, looks into other processes or changes the system. It has its pipes, and memory.
var forbidden = []string{
	"open", "openat", "openat2", "creat", "open_by_handle_at", "name_to_handle_at", "truncate",
	"link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat",
	"chmod", "fchmodat", "chown", "lchown", "fchownat", "utimensat", "setxattr", "lsetxattr", "removexattr", "lremovexattr",
	"chdir", "fchdir", "chroot", "pivot_root", "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "swapon", "swapoff", "quotactl",
	"inotify_init", "inotify_init1", "fanotify_init", "memfd_create",
	"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
	"execve", "execveat", "fork", "vfork", "unshare", "setns", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "kcmp",
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "keyctl", "add_key", "request_key",
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog", "acct", "settimeofday", "clock_settime",
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset", "sethostname", "setdomainname",
	"shmget", "msgget", "semget", "mq_open", "ioperm", "iopl",
}

// Confine takes from this process, for good, all that rendering does not need: it can open no file and no connection, start no
// program, and gain no right. It is for a child of a pool, before [ServeWorker]. An error is a system that cannot do it; nothing was taken
// then, and rendering is as safe as the decoders are.
func Confine() error { return without(forbidden) }

// without takes these system calls from the process and all that it starts.
func without(calls []string) error {
	info, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("confine the renderer: %w", err)
	}
	var known []string
	for _, name := range calls {
		if _, ok := info.SyscallNames[name]; ok {
			known = append(known, name)
		}
	}
	err = seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true, Flag: seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{{Action: seccomp.ActionErrno, Names: known}}},
	})
	if err != nil {
		return fmt.Errorf("confine the renderer: %w", err)
	}
	return nil
}
