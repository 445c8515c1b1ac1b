package s3test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/uuid"
)

// RadosGW runs Ceph's gateway with a monitor and a store in memory of its own, by the programs of Debian's packages (make ceph installs
// them). Kill and Restart are of the gateway alone. It ends with the test.
func RadosGW(t testing.TB) *Server {
	t.Helper()
	return ended(t, newRadosGW, "")
}

// cephConf is a cluster of one of each that asks nobody who he is: it is on loopback.
const cephConf = `[global]
fsid = %[2]s
run dir = %[1]s
mon host = v2:%[3]s
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
ms cluster mode = crc
ms service mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon data = %[1]s/mon
osd data = %[1]s/osd
osd objectstore = memstore
memstore device bytes = 8589934592
osd crush chooseleaf type = 0
public addr = %[4]s
cluster addr = %[4]s
log file = %[1]s/$name.log
admin socket = %[1]s/$name.asok
debug none = 0
`

func newRadosGW(dir, _ string) (*Server, error) {
	s, err := newServer("radosgw", dir)
	if err != nil {
		return nil, err
	}
	c := ceph{s: s, dir: dir, conf: filepath.Join(dir, "ceph.conf")}
	s.args = []string{"-c", c.conf, "-n", "client.rgw", "-f", "--rgw-frontends", "beast endpoint=" + s.Addr + " tcp_nodelay=1"}
	if err := c.start(); err != nil {
		s.End()
		return nil, fmt.Errorf("a Ceph for a test: %w", err)
	}
	return s, nil
}

// ceph is what a gateway needs behind it.
type ceph struct {
	s         *Server
	dir, conf string
}

func (c ceph) start() error {
	port, err := freePort(c.s.host())
	if err != nil {
		return err
	}
	cluster, disk, mon := uuid.NewString(), uuid.NewString(), net.JoinHostPort(c.s.host(), port)
	err = errors.Join(
		os.WriteFile(c.conf, fmt.Appendf(nil, cephConf, c.dir, cluster, mon, c.s.host()), 0o666),
		os.Mkdir(filepath.Join(c.dir, "mon"), 0o777), os.Mkdir(filepath.Join(c.dir, "osd"), 0o777),
	)
	if err != nil {
		return err
	}
	monmap := filepath.Join(c.dir, "monmap")
	for _, step := range []struct {
		do   func(...string) error
		argv []string
	}{
		{c.do, []string{"monmaptool", "--create", "--fsid", cluster, "--addv", "a", "[v2:" + mon + "]", monmap}},
		{c.do, []string{"ceph-mon", "-c", c.conf, "--mkfs", "-i", "a", "--monmap", monmap}},
		{c.run, []string{"ceph-mon", "-c", c.conf, "-i", "a", "-f"}},
		{c.do, []string{"ceph", "-c", c.conf, "osd", "new", disk}},
		{c.do, []string{"ceph-osd", "-c", c.conf, "-i", "0", "--mkfs", "--osd-uuid", disk}},
		{c.run, []string{"ceph-osd", "-c", c.conf, "-i", "0", "-f"}},
		{c.do, []string{
			"radosgw-admin", "-c", c.conf, "user", "create", "--uid", "hotfolder", "--display-name", "hotfolder",
			"--access-key", AccessKey, "--secret", SecretKey,
		}},
	} {
		if err := step.do(step.argv...); err != nil {
			return err
		}
	}
	return nil
}

// do runs a command to its end.
func (c ceph) do(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", argv, err, out)
	}
	return nil
}

// run starts a server that ends with [Server.End].
func (c ceph) run(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.s.behind = append(c.s.behind, cmd)
	return nil
}
