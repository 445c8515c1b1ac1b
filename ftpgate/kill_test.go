package ftpgate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

const killSize = 4 << 20

// killRounds is how often each client gets each signal; they are what takes the time.
func killRounds() int {
	if testing.Short() {
		return 2
	}
	return 5
}

// python uploads by its own library, as scripts do.
const python = `
import ftplib, sys, time
f = ftplib.FTP()
f.connect(sys.argv[1], int(sys.argv[2]))
f.login(sys.argv[3], sys.argv[4])
slow = float(sys.argv[7]) if len(sys.argv) > 7 else 0
f.storbinary("STOR " + sys.argv[6], open(sys.argv[5], "rb"), callback=lambda _: time.sleep(slow) if slow else None)
f.quit()
`

// uploaders are real clients: the command that uploads file as name.
func uploaders(g *gate) map[string]func(file, name string) *exec.Cmd {
	host, port, _ := strings.Cut(g.Addr().String(), ":")
	return map[string]func(file, name string) *exec.Cmd{
		"curl": func(file, name string) *exec.Cmd {
			return exec.Command("curl", "-sS", "-T", file, fmt.Sprintf("ftp://%s:%s/%s", host, port, name), "-u", user+":"+password)
		},
		"lftp": func(file, name string) *exec.Cmd {
			return exec.Command("lftp", "-c", fmt.Sprintf(
				"set net:max-retries 1; set ftp:ssl-allow no; open -u '%s,%s' -p %s %s; put %s -o %s", user, password, port, host, file, name))
		},
		"python": func(file, name string) *exec.Cmd {
			return exec.Command("/usr/bin/python3", "-c", python, host, port, user, password, file, name)
		},
	}
}

// randomFile is a file that no client can make smaller on its way.
func randomFile(t *testing.T, size int) string {
	t.Helper()
	data := make([]byte, size)
	for i := 0; i < len(data); i += 8 {
		copy(data[i:], fmt.Sprintf("%08x", rand.Uint32()))
	}
	name := filepath.Join(t.TempDir(), "upload.bin")
	check(t, os.WriteFile(name, data, 0o600))
	return name
}

// slow lets a client take about half a second for killSize. It is the client that is slow: a server that is finds its end late.
func slow(cmd *exec.Cmd) *exec.Cmd {
	switch filepath.Base(cmd.Path) {
	case "curl":
		cmd.Args = append(cmd.Args, "--limit-rate", fmt.Sprint(killSize*2))
	case "lftp":
		cmd.Args[2] = fmt.Sprintf("set net:limit-rate %d; set net:limit-max 65536; ", killSize*2) + cmd.Args[2]
	default:
		cmd.Args = append(cmd.Args, "0.001") // for each 8 KiB
	}
	return cmd
}

func TestUpload_whoseClientIsKilledNeverBecomesADrop(t *testing.T) {
	t.Parallel()
	file := randomFile(t, killSize)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM} {
		for _, client := range []string{"curl", "lftp", "python"} {
			t.Run(client+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				g := w.run(func(o *ftpgate.Options) { o.ResumeTTL = -1 })
				for i := range killRounds() {
					killOne(t, g, slow(uploaders(g)[client](file, fmt.Sprintf("%d.bin", i))), signal)
				}
				whole := 0
				for name, size := range w.drops("inbox") {
					if size != killSize {
						t.Errorf("want no drop of a killed client, got %s with %d bytes of %d", name, size, killSize)
					}
					whole++
				}
				t.Logf("%d clients killed, %d had been done", killRounds(), whole)
				if whole == killRounds() {
					t.Error("want clients that are killed in the middle; all were done")
				}
			})
		}
	}
}

// killOne signals a client at a random moment of its upload, and waits until its session has ended.
func killOne(t *testing.T, g *gate, cmd *exec.Cmd, signal syscall.Signal) {
	t.Helper()
	killWithin(t, g, cmd, signal, 400*time.Millisecond)
}

func killWithin(t *testing.T, g *gate, cmd *exec.Cmd, signal syscall.Signal, within time.Duration) {
	t.Helper()
	check(t, cmd.Start())
	before := len(g.uploads())
	eventually(t, "the upload to begin", func() bool {
		for _, s := range g.Sessions() {
			if s.Doing == "upload" && s.Moved > 0 {
				return true
			}
		}
		return len(g.uploads()) > before // and it was quick
	})
	time.Sleep(rand.N(within)) // the moment is what is tested
	check(t, cmd.Process.Signal(signal))
	_ = cmd.Wait()
	g.idle()
}

func TestUpload_byRealClients(t *testing.T) {
	t.Parallel()
	file := randomFile(t, 300_000)
	want, err := os.ReadFile(file)
	check(t, err)
	w := newWorld(t)
	g := w.run()
	for client, upload := range uploaders(g) {
		for i := range 10 {
			name := fmt.Sprintf("%s-%d.bin", client, i)
			out, err := upload(file, name).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", client, err, out)
			}
			eventually(t, name+" to be heard of", func() bool { return g.hasHeard("inbox/" + name) })
			if got := w.content("inbox/" + name); got != string(want) {
				t.Errorf("%s: want %d bytes as they are, got %d others", client, len(want), len(got))
			}
		}
	}
}
