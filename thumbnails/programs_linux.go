package thumbnails

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// outside are the system calls that a program of others must do without: those that reach other machines and processes, or change the
// system. Unlike [Confine] it leaves the opening of files; see readable.
var outside = []string{
	"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
	"kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "setsid", "setpgid", "process_madvise",
	"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "kcmp", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot",
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key", "request_key", "init_module", "finit_module", "kexec_load",
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
	"link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat",
	"truncate", "ftruncate", "fallocate", "chmod", "fchmod", "fchmodat", "chown", "lchown", "fchown", "fchownat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
}

// readable are the rules of what a program finds of the machine's files beside its own folder: itself, libraries and fonts. It can
// write to none.
func readable() []landlock.Rule {
	return []landlock.Rule{
		landlock.RODirs(".", "/usr", "/bin", "/lib", "/lib64", "/etc/fonts", "/etc/alternatives", "/var/cache/fontconfig").IgnoreIfMissing(),
		landlock.ROFiles("/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/urandom").IgnoreIfMissing(),
	}
}

// holdBack takes from this process, and whatever it becomes, all that a program of others has no use for. A system without Landlock
// (Linux before 5.13) leaves it the reading of files.
func holdBack() error {
	if err := landlock.V6.BestEffort().Restrict(readable()...); err != nil {
		return fmt.Errorf("files of a program: %w", err)
	}
	if err := without(outside); err != nil {
		return err
	}
	return limitResources()
}

// Become turns this process into a program of others, with limits that it cannot lift. It returns only when that fails. The first
// argument is the program's name.
func Become(argv []string) error {
	if len(argv) == 0 || !slices.Contains(Programs(), argv[0]) {
		return errors.New("no such program")
	}
	path := installed(argv[0])
	if path == "" {
		return fmt.Errorf("%s is not installed", argv[0])
	}
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	if err := holdBack(); err != nil {
		return err
	}
	return syscall.Exec(path, argv, env)
}

// limitResources: a program that wants more gets an error, or a signal.
func limitResources() error {
	memory, err := strconv.ParseUint(os.Getenv(envMemory), 10, 63)
	if err != nil {
		return fmt.Errorf("%s: %w", envMemory, err)
	}
	seconds, err := strconv.ParseUint(os.Getenv(envSeconds), 10, 32)
	if err != nil {
		return fmt.Errorf("%s: %w", envSeconds, err)
	}
	for _, l := range []struct {
		resource int
		most     uint64
	}{{unix.RLIMIT_CPU, seconds}, {unix.RLIMIT_NOFILE, programFiles}, {unix.RLIMIT_CORE, 0}, {unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_AS, memory}} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("limit of a program: %w", err)
		}
	}
	return nil
}

// killGroup ends a program and whatever it started.
func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
