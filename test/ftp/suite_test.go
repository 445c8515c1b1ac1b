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

	"hotfolderd/storage/s3/s3test"
)

// TestSuite_rclone runs the tests that rclone has for its FTP backend against a node that imports nothing: on a folder and in a
// bucket, plain and encrypted.
func TestSuite_rclone(t *testing.T) {
	for _, store := range []string{"folder", "bucket"} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, encrypted %v", store, secure), func(t *testing.T) {
				o := options{rule: storesOnly}
				if store == "bucket" {
					server := s3test.MinIO(t)
					o.url = server.URL(server.VersionedBucket(t), "")
					o.env = []string{"AWS_SHARED_CREDENTIALS_FILE=" + s3test.Credentials(t)}
				}
				runSuite(t, begin(t, o), secure)
			})
		}
	}
}

var verdict = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): `)

func runSuite(t *testing.T, n *node, secure bool) {
	t.Helper()
	program, err := filepath.Abs("../../bin/rclone-ftp.test")
	check(t, err)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: run make ftp-suite", err)
	}
	host, port, _ := net.SplitHostPort(n.addr)
	conf := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, conf, fmt.Sprintf("[TFTP]\ntype = ftp\nhost = %s\nport = %s\nuser = %s\npass = %s\nexplicit_tls = %v\nno_check_certificate = true\n"+
		"encoding = Slash,Del,Ctl,RightSpace,Dot\n", host, port, user, obscured(), secure))
	cmd := exec.Command(program, "-test.v", "-test.run", "TestIntegration$", "-remote", "TFTP:", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG="+conf)
	cmd.Dir = t.TempDir()
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
