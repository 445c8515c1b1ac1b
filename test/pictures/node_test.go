package pictures_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is built once for all tests.
var program = sync.OnceValues(func() (string, error) {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("hotfolderd-pictures-%d", os.Getpid()))
	out, err := exec.Command("go", "build", "-o", file, "../../cmd/hotfolderd").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	if how := os.Getenv(childEnv); how != "" {
		if err := renderFiles(how, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	_ = os.Remove(filepath.Join(os.TempDir(), fmt.Sprintf("hotfolderd-pictures-%d", os.Getpid())))
	os.Exit(code)
}

func built(tb testing.TB) string {
	tb.Helper()
	file, err := program()
	check(tb, err)
	return file
}

// node is the program at work, with one hotfolder, inbox.
type node struct {
	tb         testing.TB
	dir, addr  string
	pid        int
	log        *os.File
	cmd        *exec.Cmd
	deposit    string // beside the hotfolder: files go from here into it whole
	deposition int
}

// startNode takes more lines of settings and of the rule.
func startNode(tb testing.TB, settings, rule string) *node {
	tb.Helper()
	built(tb)
	dir := tb.TempDir()
	n := &node{tb: tb, dir: dir, addr: freeAddr(tb), deposit: filepath.Join(dir, "store", "deposit")}
	rules := filepath.Join(dir, "rules")
	check(tb, os.MkdirAll(rules, 0o777))
	check(tb, os.MkdirAll(n.deposit, 0o777))
	check(tb, os.MkdirAll(n.inbox(""), 0o777))
	check(tb, os.WriteFile(filepath.Join(rules, "inbox.yaml"), []byte("hotfolder: inbox\n"+rule), 0o666))
	file := filepath.Join(dir, "hotfolderd.yaml")
	check(tb, os.WriteFile(file, fmt.Appendf(nil, "node: { roles: [import, thumbnails, web] }\nstorage: { url: %q }\nhotfolders: %q\nhttp: { listen: %q }\n%s",
		filepath.Join(dir, "store"), rules, n.addr, settings), 0o666))
	n.run(file)
	return n
}

func (n *node) inbox(name string) string {
	return filepath.Join(n.dir, "store", "hotfolders", "inbox", name)
}

func (n *node) run(settings string) {
	n.tb.Helper()
	var err error
	n.log, err = os.Create(filepath.Join(n.dir, "log"))
	check(n.tb, err)
	n.cmd = exec.Command(built(n.tb), "run", "--config", settings)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = n.dir, n.log, n.log
	n.cmd.Env = append(os.Environ(), "HOME="+n.dir, "XDG_STATE_HOME="+n.dir)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(n.tb, n.cmd.Start())
	n.pid = n.cmd.Process.Pid
	n.tb.Cleanup(n.stop)
	within(n.tb, 30*time.Second, "ready", func() bool {
		res, err := http.Get("http://" + n.addr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// stop ends the node in order, which it must do whatever it was given.
func (n *node) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	if err := n.cmd.Wait(); err != nil {
		text, _ := os.ReadFile(n.log.Name())
		n.tb.Errorf("want an orderly end, got %v\n%s", err, text[max(0, len(text)-4000):])
	}
	_ = n.log.Close()
}

// drop puts a file into the hotfolder at once and whole.
func (n *node) drop(name string, data []byte) {
	n.tb.Helper()
	n.deposition++
	file := filepath.Join(n.deposit, strconv.Itoa(n.deposition))
	check(n.tb, os.WriteFile(file, data, 0o666))
	check(n.tb, os.Rename(file, n.inbox(name)))
}

// get is the answer to a path.
func (n *node) get(path string) (status int, kind string, body []byte) {
	n.tb.Helper()
	res, err := http.Get("http://" + n.addr + path)
	check(n.tb, err)
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(res.Body)
	check(n.tb, err)
	return res.StatusCode, res.Header.Get("Content-Type"), body
}

// left is how many drops lie in the hotfolder.
func (n *node) left() int {
	entries, err := os.ReadDir(n.inbox(""))
	check(n.tb, err)
	count := 0
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			count++
		}
	}
	return count
}

// workers are the processes that render.
func (n *node) workers() (pids []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", n.pid))
	for _, file := range tasks {
		text, _ := os.ReadFile(file)
		for _, f := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(f)
			if err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// resident is the memory of a process in MiB; 0 when there is none.
func resident(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(string(fields[1]))
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// within polls until ok says yes.
func within(tb testing.TB, d time.Duration, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not within %s: %s", d, what)
		}
	}
}

// freeAddr stays free: its IP belongs to this process, and no connection begins there.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	pid := os.Getpid()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 80+pid>>14&0x3f, pid>>6&0xff, pid&0x3f<<2|1))
	check(tb, err)
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
