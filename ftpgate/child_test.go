package ftpgate_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage/posix"
)

const childStore = "FTPGATE_TEST_STORE" // makes this test binary a gate on that store

func TestMain(m *testing.M) {
	if dir := os.Getenv(childStore); dir != "" {
		fmt.Println(beGate(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// beGate is a gate of its own process, until that is killed.
func beGate(dir string) error {
	ctx := context.Background()
	store, err := posix.Open(ctx, dir, posix.Options{})
	if err != nil {
		return err
	}
	users, err := ftpgate.OpenUsers(os.Getenv("FTPGATE_TEST_USERS"), nil)
	if err != nil {
		return err
	}
	g, err := ftpgate.New(ftpgate.Options{
		Listen: "127.0.0.1:0", Users: users, Node: "node-a", Checkpoint: 20 * time.Millisecond,
		Folders: func(name string) (ftpgate.Folder, bool) {
			return ftpgate.Folder{
				Store: store, Prefix: asset.Key("hotfolders/" + name), Aside: "workarea/ftp", Folders: folders{dir}, Rename: folders{dir}.rename(store),
			}, true
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(g.Addr())
	return g.Run(ctx)
}

// child is a gate in a process of its own.
type child struct {
	cmd  *exec.Cmd
	addr string
	once sync.Once
}

func (w *world) child() *child {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childStore+"="+w.dir, "FTPGATE_TEST_USERS="+w.users)
	out, err := cmd.StdoutPipe()
	check(w.t, err)
	check(w.t, cmd.Start())
	c := &child{cmd: cmd}
	w.t.Cleanup(c.kill)
	addr, err := bufio.NewReader(out).ReadString('\n')
	check(w.t, err)
	c.addr = strings.TrimSpace(addr)
	return c
}

// kill ends the process at once. Idempotent.
func (c *child) kill() {
	c.once.Do(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
}

// storm uploads files until the gate dies, and returns those that it said were stored, by name with their content.
func (w *world) storm(addr string, round int) map[string]string {
	var mu sync.Mutex
	stored := map[string]string{}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 1_000_000 {
				name := fmt.Sprintf("%d-%d-%d", round, worker, i)
				content := strings.Repeat(name+" ", 1+rand.IntN(20_000))
				if uploadTo(addr, name, content) != nil {
					return
				}
				mu.Lock()
				stored[name] = content
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return stored
}

// uploadTo is one session with one upload; nil when it was told 226.
func uploadTo(addr, name, content string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := &client{conn: conn, raw: conn.(*net.TCPConn), r: bufio.NewReader(conn)}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for _, say := range []string{"USER " + user, "PASS " + password} {
		if _, err := io.WriteString(conn, say+"\r\n"); err != nil {
			return err
		}
	}
	for range 3 {
		if _, err := c.r.ReadString('\n'); err != nil {
			return err
		}
	}
	return c.plainUpload(name, content)
}

func TestGate_thatIsKilledLosesNothingThatItSaidWasStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stored := map[string]string{}
	for round := range 5 {
		gate := w.child()
		kill := time.AfterFunc(time.Duration(100+rand.IntN(200))*time.Millisecond, gate.kill) // the moment is what is tested
		for name, content := range w.storm(gate.addr, round) {
			stored[name] = content
		}
		kill.Stop()
		gate.kill()
	}
	w.run() // sees to what the others left
	eventually(t, "nothing to be pending", func() bool {
		for _, key := range w.kept() {
			if strings.Contains(string(key), "/pending/") {
				return false
			}
		}
		return true
	})
	t.Logf("%d uploads were stored", len(stored))
	for name, want := range stored {
		if got := w.content("inbox/" + name); got != want {
			t.Errorf("%s: want %d bytes, got %d (%.20q)", name, len(want), len(got), got)
		}
	}
	for name, size := range w.drops("inbox") {
		content := w.content("inbox/" + name)
		if !strings.HasPrefix(content, name+" ") || size%int64(len(name)+1) != 0 {
			t.Errorf("%s: want it whole, got %d bytes", name, size)
		}
	}
}

func TestGate_thatIsKilledLetsAnotherGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.child()
	conn, err := net.Dial("tcp", first.addr)
	check(t, err)
	c := &client{t: t, conn: conn, raw: conn.(*net.TCPConn), r: bufio.NewReader(conn)}
	closing(t, conn)
	c.want(220)
	c.do(331, "USER %s", user)
	c.do(230, "PASS %s", password)
	d := c.begin("STOR a.bin")
	var sent strings.Builder
	for len(w.kept()) < 4 { // the note and three pieces
		piece := strings.Repeat(fmt.Sprintf("%08x", rand.Uint32()), 100)
		_, err := io.WriteString(d, piece)
		check(t, err)
		sent.WriteString(piece)
		time.Sleep(time.Millisecond) // a client that is slow
	}
	first.kill()

	g := w.run(func(o *ftpgate.Options) { o.Node = "node-b" })
	c = login(t, g)
	var size int
	_, err = fmt.Sscanf(c.do(213, "SIZE a.bin"), "213 %d", &size)
	check(t, err)
	c.do(350, "REST %d", size)
	d = c.begin("STOR a.bin")
	_, err = io.WriteString(d, sent.String()[size:])
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.bin"); got != sent.String() {
		t.Errorf("want %d bytes as they were, got %d others", sent.Len(), len(got))
	}
}
