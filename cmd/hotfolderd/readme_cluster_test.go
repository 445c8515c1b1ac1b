package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// makeCluster starts what make cluster starts, on ports of its own. What was killed stays so for longer than this test takes.
func (r *readme) makeCluster(shown []string) (stop func()) {
	r.t.Helper()
	r.t.Setenv("XDG_STATE_HOME", filepath.Join(r.dir, "state"))
	r.ownConfigs()
	out, err := exec.Command("go", "build", "-o", filepath.Join(r.dir, "bin", "trial"), tree+"/test/trial").CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	consul, err := filepath.Abs(filepath.Join(tree, "bin", "consul"))
	if err == nil {
		err = os.Symlink(consul, filepath.Join(r.dir, "bin", "consul"))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	stop = r.start("bin/trial", "-pause", "59s")
	pids := pidsByNode(strings.Join(shown, "\n"))
	r.see("make cluster", shown, func() string {
		for node, pid := range pidsByNode(r.read()) {
			r.shown[pid] = pids[node]
		}
		return r.log()
	})
	return stop
}

var nodeAndPID = regexp.MustCompile(`(node [abc]), pid (\d+)`)

func pidsByNode(text string) map[string]string {
	pids := map[string]string{}
	for _, m := range nodeAndPID.FindAllStringSubmatch(text, -1) {
		if pids[m[1]] == "" { // of the first start
			pids[m[1]] = m[2]
		}
	}
	return pids
}

// ownConfigs replaces the tree's configs by a copy with ports that nobody has.
func (r *readme) ownConfigs() {
	r.t.Helper()
	configs := filepath.Join(r.dir, "configs")
	if err := os.Remove(configs); err != nil {
		r.t.Fatal(err)
	}
	if err := os.CopyFS(configs, os.DirFS(filepath.Join(tree, "configs"))); err != nil {
		r.t.Fatal(err)
	}
	base := r.freePorts(6)
	for i, id := range []string{"a", "b", "c"} {
		page := fmt.Sprintf("127.0.0.1:%d", base+3+i)
		r.shown[page] = fmt.Sprintf("127.0.0.1:%d", 8481+i)
		file := filepath.Join(configs, "cluster", id+".yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		text = bytes.Replace(text, []byte(r.shown[page]), []byte(page), 1)
		text = bytes.Replace(text, []byte("127.0.0.1:8590"), fmt.Appendf(nil, "127.0.0.1:%d", base), 1)
		if err := os.WriteFile(file, text, 0o666); err != nil {
			r.t.Fatal(err)
		}
	}
}

// freePorts is the first of n in a row.
func (r *readme) freePorts(n int) int {
	r.t.Helper()
search:
	for base := 10000 + os.Getpid()%9000; base < 32000; base += n {
		for port := base; port < base+n; port++ {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			if err != nil {
				continue search
			}
			l.Close()
		}
		return base
	}
	r.t.Fatal("no free ports")
	return 0
}
