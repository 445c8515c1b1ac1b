package node

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hotfolderd/config"
)

// notOffered is what litmus tries and a hotfolder does not do, as docs/operating.md says: folders with something in them are not removed
// or replaced, properties are not kept, locks bind nobody and are exclusive. The parser of XML takes propfind_invalid2.
var notOffered = map[string][]string{
	"basic":    nil,
	"copymove": {"copy_coll", "copy_shallow", "move_coll"},
	"props":    {"propfind_invalid2", "propset", "propmanyns", "propget"},
	"locks": {
		"notowner_modify", "notowner_lock", "owner_modify", "fail_cond_put", "cond_put_corrupt_token", "fail_complex_cond_put",
		"fail_cond_put_unlocked", "lock_shared",
	},
	"http": nil,
}

var (
	litmusFails = regexp.MustCompile(`(?m)^\s*\d+\. (\w+?)\.* FAIL (.*)$`)
	litmusRan   = regexp.MustCompile(`of (\d+) tests run`)
)

// litmus asks what a server of WebDAV must do, by requests of its own.
func TestDAV_litmus(t *testing.T) {
	program, err := exec.LookPath("litmus")
	if err != nil {
		t.Fatalf("%v: make debian installs it", err)
	}
	r := dropping(t, func(c *config.Rule) { c.Paused = true })
	for suite, known := range notOffered {
		if resp, text := r.send("MKCOL", "/dav/inbox/"+suite, nil); resp.StatusCode != 201 { // it cannot remove what another one left
			t.Fatalf("want a folder, got %s %s", resp.Status, text)
		}
		cmd := exec.CommandContext(t.Context(), program, "http://"+r.Addr()+"/dav/inbox/"+suite+"/")
		cmd.Dir = t.TempDir() // it writes a log
		cmd.Env = append(os.Environ(), "TESTS="+suite)
		out, _ := cmd.CombinedOutput() // it fails by what is not offered
		text := strings.ReplaceAll(string(out), "\r", "\n")
		if !litmusRan.MatchString(text) {
			t.Errorf("%s: want it run, got %s", suite, text)
		}
		for _, failed := range litmusFails.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, failed[1]) {
				t.Errorf("%s: %s fails: %s", suite, failed[1], failed[2])
			}
			if strings.Contains(failed[2], " 500 ") {
				t.Errorf("%s: %s is answered by a fault: %s", suite, failed[1], failed[2])
			}
		}
	}
}
