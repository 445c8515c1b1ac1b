package ftp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is an FTP server that is measured: who uploads where, and into which folder.
type server struct {
	name string
	addr string
	user string
	pid  int
}

// cpu is what a server and those of its processes that have ended took of the processors.
func (s server) cpu(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	check(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var sum time.Duration
	for _, f := range fields[11:15] { // utime, stime, cutime and cstime, in hundredths
		n, err := strconv.Atoi(f)
		check(t, err)
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// others are the servers of Debian, as `make bench-ftp` unpacks them, each with what it needs to take uploads of one user into the
// folder in below dir. They store files and do nothing more.
func others(t testing.TB, dir string) []server {
	t.Helper()
	return []server{vsftpd(t, filepath.Join(dir, "vsftpd")), pureFTPd(t, filepath.Join(dir, "pure-ftpd")), proFTPd(t, filepath.Join(dir, "proftpd"))}
}

// debian is a program of the unpacked packages.
func debian(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/ftpservers/usr/" + name)
	check(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make bench-ftp", err)
	}
	return path
}

// nobody's folder for uploads.
func uploadFolder(t testing.TB, dir string) string {
	t.Helper()
	in := filepath.Join(dir, "root", "in")
	check(t, os.MkdirAll(in, 0o777))
	check(t, os.Chmod(in, 0o777))
	for parent := filepath.Dir(in); parent != "/" && strings.HasPrefix(parent, dir); parent = filepath.Dir(parent) {
		check(t, os.Chmod(parent, 0o755))
	}
	return filepath.Dir(in)
}

func vsftpd(t testing.TB, dir string) server {
	root, ip := uploadFolder(t, dir), ownIP()
	conf := filepath.Join(dir, "conf")
	check(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
	write(t, conf, fmt.Sprintf(`background=NO
listen=YES
listen_address=%s
listen_port=2121
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_other_write_enable=YES
anon_umask=022
anon_root=%s
ftp_username=games
nopriv_user=nobody
secure_chroot_dir=%s
pasv_min_port=3000
pasv_max_port=9999
max_per_ip=0
seccomp_sandbox=NO
`, ip, root, filepath.Join(dir, "empty")))
	return serve(t, server{name: "vsftpd", addr: ip + ":2121", user: "anonymous"}, debian(t, "sbin/vsftpd"), conf)
}

func pureFTPd(t testing.TB, dir string) server {
	root, ip := uploadFolder(t, dir), ownIP()
	passwd, db := filepath.Join(dir, "passwd"), filepath.Join(dir, "pdb")
	add := exec.Command(debian(t, "bin/pure-pw"), "useradd", user, "-u", "nobody", "-d", root, "-f", passwd, "-F", db, "-m")
	add.Stdin = strings.NewReader(password + "\n" + password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("pure-pw: %v: %s", err, out)
	}
	return serve(t, server{name: "pure-ftpd", addr: ip + ":2121", user: user}, debian(t, "sbin/pure-ftpd"), "-S", ip+",2121", "-l", "puredb:"+db, "-u", "1", "-A", "-H",
		"-p", "3000:9999", "-c", "500", "-C", "500", "-g", filepath.Join(dir, "pid"), "-E")
}

func proFTPd(t testing.TB, dir string) server {
	root, ip := uploadFolder(t, dir), ownIP()
	conf, passwd := filepath.Join(dir, "conf"), filepath.Join(dir, "passwd")
	hash, err := exec.Command("openssl", "passwd", "-5", password).Output()
	check(t, err)
	write(t, passwd, fmt.Sprintf("%s:%s:65534:65534::%s:/bin/false\n", user, strings.TrimSpace(string(hash)), root))
	write(t, conf, fmt.Sprintf(`ServerType standalone
DefaultAddress %s
SocketBindTight on
Port 2121
UseReverseDNS off
UseIPv6 off
User nobody
Group nogroup
MaxInstances 600
PassivePorts 3000 9999
AuthUserFile %s
AuthOrder mod_auth_file.c
RequireValidShell off
DefaultRoot %s
AllowOverwrite on
Umask 022
PidFile %s/pid
ScoreboardFile %s/scoreboard
DelayTable %s/delay
SystemLog %s/log
WtmpLog off
TransferLog none
<IfModule mod_delay.c>
DelayEngine off
</IfModule>
`, ip, passwd, root, dir, dir, dir, dir))
	return serve(t, server{name: "proftpd", addr: ip + ":2121", user: user}, debian(t, "sbin/proftpd"), "-n", "-q", "-c", conf)
}

// serve runs a server until the test ends, and waits until it answers.
func serve(t testing.TB, s server, program string, args ...string) server {
	t.Helper()
	out := &logged{}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(t, cmd.Start())
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	within(t, 20*time.Second, s.name+" answers", func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	c, err := login(s.addr, "127.0.0.1", s.user, false)
	if err != nil {
		t.Fatalf("%s: %v\n%s", s.name, err, out.tail())
	}
	check(t, c.tcp.Close())
	return s
}
