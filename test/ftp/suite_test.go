//go:build ftpsuite

package ftp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestSuite_rclone runs the tests that rclone has for its FTP backend against a node that imports nothing: on a folder and in
// buckets, plain and encrypted.
func TestSuite_rclone(t *testing.T) {
	for _, store := range []string{"folder", "minio", "versitygw"} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, encrypted %v", store, secure), func(t *testing.T) {
				runSuite(t, begin(t, onStore(t, store, options{rule: storesOnly})), secure, store != "folder")
			})
		}
	}
}

var verdict = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): `)

// encoding is how rclone writes what cannot be in a name. A bucket takes UTF-8 only.
func encoding(bucket bool) string {
	if bucket {
		return "Slash,Del,Ctl,RightSpace,Dot,InvalidUtf8"
	}
	return "Slash,Del,Ctl,RightSpace,Dot"
}

func runSuite(t *testing.T, n *node, secure, bucket bool) {
	t.Helper()
	program, err := filepath.Abs("../../bin/rclone-ftp.test")
	check(t, err)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: run make ftp-suite", err)
	}
	host, port, _ := net.SplitHostPort(n.addr)
	conf := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, conf, fmt.Sprintf("[TFTP]\ntype = ftp\nhost = %s\nport = %s\nuser = %s\npass = %s\nexplicit_tls = %v\nno_check_certificate = true\n"+
		"encoding = %s\n", host, port, user, obscured(), secure, encoding(bucket)))
	cmd := exec.Command(program, "-test.v", "-test.run", "TestIntegration$", "-remote", "TFTP:", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG="+conf)
	cmd.Dir = t.TempDir()
	// The tests look for what starts their own servers, of which they need none.
	check(t, os.MkdirAll(filepath.Join(cmd.Dir, "fstest", "testserver", "init.d"), 0o777))
	out, err := cmd.CombinedOutput()
	count := map[string]int{}
	for _, v := range verdict.FindAllStringSubmatch(string(out), -1) {
		count[v[1]]++
	}
	t.Logf("%d passed, %d failed, %d left out", count["PASS"], count["FAIL"], count["SKIP"])
	if err != nil || count["FAIL"] > 0 || count["PASS"] < 50 {
		t.Errorf("want no failure, got %v\n%s", err, out)
	}
}
