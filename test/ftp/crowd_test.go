package ftp_test

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowdEnv makes this test binary a process that uploads many files at the same time: it says the gate, its own address, whether to
// encrypt, and the names.
const crowdEnv = "HOTFOLDERD_TEST_CROWD"

// crowdSize is how many uploads one process has in hand when it is killed.
const crowdSize = 20

// beCrowd uploads slowly, and says so when all have begun.
func beCrowd() int {
	said := strings.Fields(os.Getenv(crowdEnv))
	var begun, all sync.WaitGroup
	for _, name := range said[3:] {
		begun.Add(1)
		all.Go(func() { slowly(said[0], said[1], name, said[2] == "true", begun.Done) })
	}
	begun.Wait()
	_, _ = os.Stdout.WriteString("begun\n")
	all.Wait()
	return 0
}

// slowly sends a file in pieces.
func slowly(addr, local, name string, secure bool, begun func()) {
	var once sync.Once
	defer once.Do(begun)
	c, err := login(addr, local, user, secure)
	if err != nil {
		return
	}
	_, data, err := c.begin("STOR " + name)
	if err != nil {
		return
	}
	once.Do(begun)
	content := contentOf(name)
	for len(content) > 0 {
		n := min(len(content), 1+rand.IntN(16<<10))
		if _, err := io.WriteString(data, content[:n]); err != nil {
			return
		}
		content = content[n:]
		time.Sleep(rand.N(3 * time.Millisecond))
	}
	_ = data.Close()
	_, _ = c.want("226")
	c.tcp.Close()
}

func TestCut_noProcessThatIsKilledLeavesPartOfAFile(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	crowds := (uploads(t, 80) + crowdSize - 1) / crowdSize
	sideBySide(crowds, 3, func(i int) {
		signal := syscall.SIGKILL
		if i%4 == 3 {
			signal = syscall.SIGINT
		}
		if err := killCrowd(n.addr, i, signal); err != nil {
			t.Errorf("crowd %d: %v", i, err)
		}
	})
	n.settle(t)
	done := len(n.imported(t))
	t.Logf("%d uploads of processes that were killed; %d had been done, and were imported, whole", crowds*crowdSize, done)
	if done == crowds*crowdSize {
		t.Error("want some to be killed in the middle, all were done")
	}
}

// killCrowd starts a process with many uploads, and kills it in the middle of them.
func killCrowd(addr string, i int, signal syscall.Signal) error {
	said := []string{addr, client(i), strconv.FormatBool(i%2 == 1)}
	for j := range crowdSize {
		said = append(said, named("crowd", i*crowdSize+j, 1+rand.IntN(1<<20)))
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdEnv+"="+strings.Join(said, " "))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return err
	}
	time.Sleep(rand.N(120 * time.Millisecond)) // the moment is what is tested
	_ = cmd.Process.Signal(signal)
	_ = cmd.Wait()
	return nil
}
