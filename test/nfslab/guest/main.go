package guest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Main makes the guest usable and serves until the machine is gone. It returns the fault only.
func Main() error {
	for _, step := range []func() error{mounts, modules, network, serveNFS} {
		if err := step(); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", ":"+Port)
	if err != nil {
		return err
	}
	s := rpc.NewServer()
	if err := s.Register(newService()); err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go s.ServeConn(conn)
	}
}

// mounts gives the guest the folders that it may write.
func mounts() error {
	all := []Mount{
		{Source: "proc", Target: "/proc", Type: "proc"},
		{Source: "sys", Target: "/sys", Type: "sysfs"},
		{Source: "dev", Target: "/dev", Type: "devtmpfs"},
	}
	for _, dir := range []string{"/run", "/mnt", "/srv", "/var/lib/nfs"} {
		all = append(all, Mount{Source: "tmpfs", Target: dir, Type: "tmpfs"})
	}
	shared := os.Getenv(EnvShared)
	all = append(all, Mount{Source: "none", Target: shared, Type: "hostfs", Options: shared})
	var errs []error
	for _, m := range all {
		_ = os.MkdirAll(m.Target, 0o777) // most are there, and could not be made
		if err := m.do(); err != nil && !errors.Is(err, unix.EBUSY) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (m Mount) do() error {
	if err := unix.Mount(m.Source, m.Target, m.Type, m.Flags, m.Options); err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	return nil
}

// wanted are the modules that a guest needs.
var wanted = []string{"nfs", "nfsv3", "nfsv4", "nfsd", "fuse"}

// modules loads them with what they need. modules.dep says of each what it needs, the last first.
func modules() error {
	dir := os.Getenv(EnvModules)
	f, err := os.Open(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		path, needs, _ := strings.Cut(lines.Text(), ":")
		if !slices.Contains(wanted, strings.TrimSuffix(filepath.Base(path), ".ko")) {
			continue
		}
		all := append([]string{path}, strings.Fields(needs)...)
		for _, one := range slices.Backward(all) {
			if err := load(filepath.Join(dir, one)); err != nil {
				return err
			}
		}
	}
	return nil
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("module %s: %w", path, err)
	}
	return nil
}

// network gives the two interfaces their addresses, and the machine a name: to a server of NFS 4 clients of one name are one client that
// was started again, whose opens are gone.
func network() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return errors.Join(
		address(fd, "lo", "127.0.0.1", "255.0.0.0"), address(fd, "vec0", os.Getenv(EnvAddress), "255.255.255.0"),
		unix.Sethostname([]byte("guest-"+strings.ReplaceAll(os.Getenv(EnvAddress), ".", "-"))),
		run("/sbin/ip", "link", "set", "vec0", "gso_max_segs", OneSegment),
	)
}

func address(fd int, name, ip, mask string) error {
	for _, set := range []struct {
		request uint
		value   string
	}{{unix.SIOCSIFADDR, ip}, {unix.SIOCSIFNETMASK, mask}} {
		req, err := unix.NewIfreq(name)
		if err == nil {
			err = req.SetInet4Addr(net.ParseIP(set.value).To4())
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, set.request, req)
		}
		if err != nil {
			return fmt.Errorf("address of %s: %w", name, err)
		}
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
