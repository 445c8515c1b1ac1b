package cluster_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

const (
	gateUser = "cam"
	gatePass = "a pass phrase"
)

// gates are nodes with FTP gates; at is where each listens.
type gates struct {
	*world
	at []string
}

// withGates makes a world of n nodes that take uploads, with this rule.
func withGates(t testing.TB, n int, rule string) *gates {
	t.Helper()
	return gatesOn(t, newWorld(t, []string{consultest.Start(t).Addr}, 0), n, rule)
}

// gatesOn adds n such nodes to a world.
func gatesOn(t testing.TB, w *world, n int, rule string) *gates {
	t.Helper()
	g := &gates{world: w}
	write(t, filepath.Join(g.rules, "inbox.yaml"), rule)
	users := filepath.Join(g.dir, "users.yaml")
	write(t, users, fmt.Sprintf("users:\n  - name: %s\n    password_hash: %q\n    hotfolders: { /: inbox }\n", gateUser, hashed(t)))
	for i := range n {
		at := freeAddr(t)
		g.at = append(g.at, at)
		g.add(string(rune('a'+i)), "", fmt.Sprintf("ftp: { listen: %q, users_file: %q, checkpoint: 200ms }\n", at, users))
	}
	g.begin()
	g.awaitWhole(g.nodes...)
	return g
}

func hashed(t testing.TB) string {
	t.Helper()
	cmd := exec.Command(program, "user", "hash-password")
	cmd.Stdin = strings.NewReader(gatePass + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// curl is an upload to one of the gates.
func (g *gates) curl(gate int, file, name string, args ...string) *exec.Cmd {
	args = append(args, "-sS", "-u", gateUser+":"+gatePass, "-T", file, "ftp://"+g.at[gate]+"/"+name)
	return exec.CommandContext(g.t.Context(), "curl", args...)
}

// gateUpload is the size of an upload whose gate is killed; HOTFOLDERD_UPLOAD_MB says another one.
func gateUpload(t *testing.T) int {
	mb := 24
	if text := os.Getenv("HOTFOLDERD_UPLOAD_MB"); text != "" {
		var err error
		if mb, err = strconv.Atoi(text); err != nil || mb < 1 {
			t.Fatalf("HOTFOLDERD_UPLOAD_MB: want a number, got %q", text)
		}
	}
	return mb * 1_000_000
}

// TestGate_anUploadGoesOnAtAnotherNode kills the gate's node in the middle of an upload. The client goes on at another one, and the
// file is imported once, whole.
func TestGate_anUploadGoesOnAtAnotherNode(t *testing.T) {
	t.Parallel()
	for _, client := range []string{"curl", "lftp"} {
		t.Run(client, func(t *testing.T) { goesOnElsewhere(t, withGates(t, 2, defaultRule), client, nil) })
	}
}

// goesOnElsewhere is such an upload; there says, beside what the doors keep, when enough of it has come.
func goesOnElsewhere(t *testing.T, g *gates, client string, there func() bool) {
	t.Helper()
	data := make([]byte, gateUpload(t))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	file := filepath.Join(g.dir, "big.bin")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	first := g.curl(0, file, "big.bin", "--limit-rate", fmt.Sprint(len(data)/20))
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "a part of the upload on the store", func() bool {
		return len(g.tree.list("workarea/ftp/partials")) >= 2 && (there == nil || there())
	})
	g.nodes[0].kill()
	if err := first.Wait(); err == nil {
		t.Fatal("want the upload broken, it was done before")
	}
	again := g.curl(1, file, "big.bin", "-v", "-C", "-")
	if client == "lftp" {
		again = exec.CommandContext(t.Context(), "lftp", "-c", fmt.Sprintf(
			"set net:max-retries 2; debug 4; open -u %s,'%s' ftp://%s; put -c %s -o big.bin", gateUser, gatePass, g.at[1], file))
	}
	out, err := again.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", client, err, out, g)
	}
	if !bytes.Contains(out, []byte("REST ")) && !bytes.Contains(out, []byte("APPE ")) {
		t.Errorf("want the client to go on, it began anew\n%s", out)
	}
	within(t, time.Minute, "the file imported", func() bool { return len(g.ledger()) > 0 && !g.tree.has("hotfolders/inbox/big.bin") })
	sum := sha256.Sum256(data)
	if l := g.ledger(); len(l) != 1 || l[0].Content.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("want one import of the whole file, got %+v", l)
	}
}

// TestGate_tellsTheNodeWhoseADropIs has a rule by which nothing is found complete but what a gate has told of. So each drop of the
// other node was told to that.
func TestGate_tellsTheNodeWhoseADropIs(t *testing.T) {
	t.Parallel()
	g := withGates(t, 2, "hotfolder: inbox\ncomplete: { settle: 1h, watch: poll }\nthumbnails: { sizes: [] }\n")
	file := filepath.Join(g.dir, "small.txt")
	var took []time.Duration
	const n = 40
	for i := range n {
		write(t, file, fmt.Sprintf("drop %d has no format", i))
		name := fmt.Sprintf("%d.txt", i)
		if out, err := g.curl(0, file, name).CombinedOutput(); err != nil {
			t.Fatalf("curl: %v\n%s", err, out)
		}
		stored := time.Now()
		within(t, time.Minute, name+" imported\n"+g.String(), func() bool { return !g.tree.has("hotfolders/inbox/" + name) })
		took = append(took, time.Since(stored))
	}
	byNode := map[string]int{}
	for _, r := range g.ledger() {
		byNode[r.Node]++
	}
	if byNode["a"]+byNode["b"] != n || byNode["b"] == 0 {
		t.Errorf("want %d imports, some by b, got %v", n, byNode)
	}
	known := 0
	for _, p := range g.nodes {
		known += strings.Count(p.log.String(), "known: it came whole by ftp")
	}
	if known != n {
		t.Errorf("want all known by ftp, got %d of %d", known, n)
	}
	slices.Sort(took)
	t.Logf("from the client's end to the drop gone: median %s, longest %s; by node %v", took[n/2], took[n-1], byNode)
}

// TestGate_wrongPasswordsCountTogether: guesses at two nodes are one guesser's.
func TestGate_wrongPasswordsCountTogether(t *testing.T) {
	t.Parallel()
	g := withGates(t, 2, defaultRule)
	guess := func(at string) string {
		c, err := net.Dial("tcp", at)
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		r := bufio.NewReader(c)
		hello, _ := r.ReadString('\n')
		fmt.Fprintf(c, "USER nobody\r\nPASS wrong\r\n")
		_, _ = r.ReadString('\n')
		_, _ = r.ReadString('\n')
		return hello
	}
	for range 4 { // fewer at each than are banned for
		var all sync.WaitGroup
		for _, at := range []string{g.at[0], g.at[0], g.at[1], g.at[1]} {
			all.Go(func() { guess(at) })
		}
		all.Wait()
	}
	for _, at := range g.at {
		within(t, time.Minute, "a ban at "+at, func() bool { return strings.HasPrefix(guess(at), "421 too many wrong passwords") })
	}
}

// TestGate_sessionsAreListedAndEnded by the command.
func TestGate_sessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	g := withGates(t, 1, defaultRule)
	c, err := net.Dial("tcp", g.at[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "USER %s\r\nPASS %s\r\n", gateUser, gatePass)
	var got struct {
		Sessions []struct{ ID, User string } `json:"sessions"`
	}
	within(t, time.Minute, "a session", func() bool {
		out, err := g.nodes[0].hotfolderd("sessions", "--json")
		return err == nil && json.Unmarshal([]byte(out), &got) == nil && len(got.Sessions) == 1 && got.Sessions[0].User == gateUser
	})
	if out, err := g.nodes[0].hotfolderd("sessions", "end", got.Sessions[0].ID); err != nil {
		t.Errorf("end it: %v\n%s", err, out)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("want to be told, got %v", err)
		}
		if line == "421 ended by an administrator\r\n" {
			break
		}
	}
	if out, err := g.nodes[0].hotfolderd("sessions", "end", "nobody"); err == nil {
		t.Errorf("want no session of that id, got %s", out)
	}
}

// TestGate_sessionsCountTogether: a user who may have one session has it at one node. When that node is killed it is nowhere any more.
func TestGate_sessionsCountTogether(t *testing.T) {
	t.Parallel()
	g := withGates(t, 2, defaultRule)
	users := filepath.Join(g.dir, "users.yaml")
	text, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	write(t, users, string(text)+"    limits: { sessions: 1 }\n")
	answer := func(gate int) (string, net.Conn) {
		c, err := net.Dial("tcp", g.at[gate])
		if err != nil {
			return err.Error(), nil
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(c, "USER %s\r\nPASS %s\r\n", gateUser, gatePass)
		r, line := bufio.NewReader(c), ""
		for range 3 {
			line, _ = r.ReadString('\n')
		}
		return line, c
	}
	// The file is read again within seconds; before that there is no limit.
	got, first := answer(0)
	within(t, time.Minute, "the limit in use", func() bool {
		more, c := answer(0)
		defer c.Close()
		return strings.HasPrefix(got, "230 ") && strings.HasPrefix(more, "421 you have 1 sessions")
	})
	defer first.Close()
	within(t, time.Minute, "no other session elsewhere", func() bool {
		more, c := answer(1)
		defer c.Close()
		return strings.HasPrefix(more, "421 you have 1 sessions")
	})
	g.nodes[0].kill()
	within(t, time.Minute, "a session elsewhere", func() bool {
		more, c := answer(1)
		defer c.Close()
		return strings.HasPrefix(more, "230 ")
	})
}
