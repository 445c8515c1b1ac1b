package ftp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// uploader is a real client: the command that uploads a file under its own name. Slowly, it takes about half a second for a file of
// killSize; it is the client that is slow.
type uploader struct {
	name   string
	secure bool // it can encrypt, too
	// finishes: at Ctrl-C it ends its data as if that were all, waits for the answer, and takes its leave. Only the format can tell.
	finishes bool
	command  func(addr, user, file string, secure, slowly bool) *exec.Cmd
}

const killSize = 1 << 20

// clients are those that many use. The first five are cheap to start and to install.
var clients = []uploader{
	{name: "curl", secure: true, command: curl},
	{name: "lftp", secure: true, command: lftp},
	{name: "python", secure: true, command: python},
	{name: "ncftp", finishes: true, command: ncftp},
	{name: "tnftp", finishes: true, command: tnftp},
	{name: "rclone", secure: true, command: rclone},
}

const cheap = 5

func curl(addr, user, file string, secure, slowly bool) *exec.Cmd {
	cmd := exec.Command("curl", "-sS", "-T", file, "-u", user+":"+password, "ftp://"+addr+"/")
	if secure {
		cmd.Args = append(cmd.Args, "--ssl-reqd", "-k")
	}
	if slowly {
		cmd.Args = append(cmd.Args, "--limit-rate", fmt.Sprint(killSize*2))
	}
	return cmd
}

func lftp(addr, user, file string, secure, slowly bool) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	set := "set net:max-retries 1; set ssl:verify-certificate no; set ftp:ssl-allow no; "
	if secure {
		set = "set net:max-retries 1; set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; "
	}
	if slowly {
		set += fmt.Sprintf("set net:limit-rate %d; set net:limit-max 65536; ", killSize*2)
	}
	return exec.Command("lftp", "-c", set+fmt.Sprintf("open -u '%s,%s' -p %s %s; put %s", user, password, port, host, file))
}

// script uploads by Python's own library. It leaves without a word when its last argument says so.
const script = `
import ftplib, os, ssl, sys, time
host, port, user, password, path, secure, slow, leave = sys.argv[1:]
f = ftplib.FTP_TLS(context=ssl._create_unverified_context()) if secure == "true" else ftplib.FTP()
f.connect(host, int(port))
f.login(user, password)
if secure == "true": f.prot_p()
slow = slow == "true"
f.storbinary("STOR " + os.path.basename(path), open(path, "rb"), callback=lambda _: time.sleep(0.004) if slow else None)
if leave == "true": os._exit(0)
f.quit()
`

func python(addr, user, file string, secure, slowly bool) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	return exec.Command("/usr/bin/python3", "-c", script, host, port, user, password, file, fmt.Sprint(secure), fmt.Sprint(slowly), "false")
}

func ncftp(addr, user, file string, _, slowly bool) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("ncftpput", "-V", "-r", "0", "-u", user, "-p", password, "-P", port)
	if slowly {
		cmd.Args = append(cmd.Args, "-B", "4096") // it has no limit of its own
	}
	cmd.Args = append(cmd.Args, host, "/", file)
	return cmd
}

func tnftp(addr, user, file string, _, slowly bool) *exec.Cmd {
	cmd := exec.Command("tnftp", "-V")
	if slowly {
		cmd.Args = append(cmd.Args, "-T", fmt.Sprintf("put,%d", killSize*2))
	}
	url := fmt.Sprintf("ftp://%s:%s@%s/%s", user, strings.ReplaceAll(password, " ", "%20"), addr, filepath.Base(file))
	cmd.Args = append(cmd.Args, "-u", url, file)
	return cmd
}

// obscured is the password as rclone wants it.
var obscured = sync.OnceValue(func() string {
	out, err := exec.Command("rclone", "obscure", password).Output()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
})

func rclone(addr, user, file string, secure, slowly bool) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("rclone", "--config", "/dev/null", "copy", "--retries", "1", "--low-level-retries", "1", "--no-check-dest",
		"--ftp-host", host, "--ftp-port", port, "--ftp-user", user, "--ftp-pass", obscured())
	if secure {
		cmd.Args = append(cmd.Args, "--ftp-explicit-tls", "--ftp-no-check-certificate")
	}
	if slowly {
		cmd.Args = append(cmd.Args, "--bwlimit", fmt.Sprintf("%dB", killSize*2))
	}
	cmd.Args = append(cmd.Args, file, ":ftp:/")
	return cmd
}

// fileOf makes the file of that name, for a client to upload.
func fileOf(t testing.TB, name string) (path string, remove func()) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	check(t, err)
	path = filepath.Join(dir, name)
	check(t, os.WriteFile(path, []byte(contentOf(name)), 0o600))
	return path, func() { os.RemoveAll(dir) }
}
