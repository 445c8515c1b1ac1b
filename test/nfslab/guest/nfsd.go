package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	exportDisk = "/dev/ubda" // with an ext4
	mountdPort = "20048"
	// graceTime is how long a server that was started waits for its old clients, and a lease lasts: seconds.
	graceTime = "10"
)

// serveNFS starts what every NFS machine runs, and on the server the export, synchronous and for root.
func serveNFS() error {
	for _, dir := range []string{"/run/rpcbind", "/run/lock", "/var/lib/nfs/sm", "/var/lib/nfs/sm.bak", "/var/lib/nfs/rpc_pipefs", "/var/lib/nfs/nfsdcld", Export} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	if err := run("/sbin/rpcbind", "-w"); err != nil {
		return err
	}
	if err := (Mount{Source: "rpc", Target: "/var/lib/nfs/rpc_pipefs", Type: "rpc_pipefs"}).do(); err != nil {
		return err
	}
	if os.Getenv(EnvServer) == "" {
		return run("/sbin/rpc.statd", "--no-notify")
	}
	return serveExport()
}

func serveExport() error {
	if err := (Mount{Source: exportDisk, Target: Export, Type: "ext4"}).do(); err != nil {
		return err
	}
	if err := (Mount{Source: "nfsd", Target: "/proc/fs/nfsd", Type: "nfsd"}).do(); err != nil {
		return err
	}
	for _, name := range []string{"etab", "rmtab"} {
		if err := os.WriteFile("/var/lib/nfs/"+name, nil, 0o644); err != nil {
			return err
		}
	}
	return errors.Join(
		os.Chmod(Export, 0o777),
		run("/sbin/rpc.statd", "--no-notify"),
		run("/usr/sbin/nfsdcld"),
		os.WriteFile("/proc/fs/nfsd/nfsv4leasetime", []byte(graceTime), 0o644),
		os.WriteFile("/proc/fs/nfsd/nfsv4gracetime", []byte(graceTime), 0o644),
		os.WriteFile("/proc/sys/fs/nfs/nlm_grace_period", []byte(graceTime), 0o644), // locks of NFS 3: 50 s, if nobody says so
		startServer(),
		run("/usr/sbin/rpc.mountd", "-p", mountdPort),
	)
}

// startServer exports and lets the kernel's threads begin; nobody waits for clients of before, which there are none of at first.
func startServer() error {
	if err := export("rw,no_root_squash,sync"); err != nil {
		return err
	}
	if err := run("/usr/sbin/rpc.nfsd", "-p", "2049", "-V", "4.2", "-V", "4.1", "-V", "3", "8"); err != nil {
		return err
	}
	return os.WriteFile("/proc/fs/nfsd/v4_end_grace", []byte("Y"), 0o644)
}

// export serves the export with these options instead of those before.
func export(options string) error {
	return run("/usr/sbin/exportfs", "-i", "-o", options+",fsid=0,insecure,no_subtree_check", "*:"+Export)
}

func run(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Export has the server export with other options, as in exports(5).
func (s *Service) Export(options string, _ *None) error { return export(options) }

// StopServer ends the server's threads: clients get no answer any more.
func (s *Service) StopServer(None, *None) error { return run("/usr/sbin/rpc.nfsd", "0") }

// StartServer starts them again, as a server that was restarted: it waits for the clients that it knew, unless told not to.
func (s *Service) StartServer(wait bool, _ *None) error {
	if !wait {
		return startServer()
	}
	return run("/usr/sbin/rpc.nfsd", "-p", "2049", "-V", "4.2", "-V", "4.1", "-V", "3", "8")
}

// Mount mounts something at a folder that it makes.
func (s *Service) Mount(m Mount, _ *None) error {
	if err := os.MkdirAll(m.Target, 0o777); err != nil {
		return err
	}
	return m.do()
}

// Unmount takes a mount away at once, whoever uses it.
func (s *Service) Unmount(target string, _ *None) error { return unix.Unmount(target, unix.MNT_DETACH) }
