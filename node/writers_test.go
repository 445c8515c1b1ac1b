package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// writerRuns is how many drops TestWriters makes in all.
const writerRuns = 1000

// job is one drop that one kind of writer makes, and what may come of it.
type job struct {
	t       *testing.T
	rnd     *rand.Rand
	outside string // a folder on the same file system that nobody watches
	path    string // where the drop goes
	data    []byte
	whole   map[asset.Hash]bool // contents that count as whole
	final   []byte              // what must be imported in the end; nil when the drop was taken away
	failed  bool                // it must end in failed/
}

// stall pauses like a slow writer, always well below the settle time of the test.
func (j *job) stall() { time.Sleep(time.Duration(j.rnd.IntN(300)) * time.Millisecond) }

func (j *job) do(err error) {
	if err != nil {
		j.t.Errorf("%s: %v", j.path, err)
	}
}

func (j *job) create(path string, flag int) *os.File {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	j.do(err)
	return f
}

func (j *job) write(f *os.File, data []byte) {
	_, err := f.Write(data)
	j.do(err)
}

func (j *job) run(name string, args ...string) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		j.t.Errorf("%s %q: %v: %s", name, args, err, out)
	}
}

// source writes the content outside and returns its path.
func (j *job) source() string {
	path := filepath.Join(j.outside, filepath.Base(j.path))
	j.do(os.WriteFile(path, j.data, 0o666))
	return path
}

// writers are the ways in which files come into a hotfolder. Each returns when its writer is done.
var writers = map[string]func(*job){
	"cp":     func(j *job) { j.run("cp", j.source(), j.path) },
	"rename": func(j *job) { j.do(os.Rename(j.source(), j.path)) },
	"slow with stalls": func(j *job) {
		f := j.create(j.path, os.O_TRUNC)
		for rest := j.data; len(rest) > 0; j.stall() {
			n := min(len(rest), 1+j.rnd.IntN(len(j.data)/3))
			j.write(f, rest[:n])
			rest = rest[n:]
		}
		j.do(f.Close())
	},
	"preallocate then fill": func(j *job) {
		f := j.create(j.path, os.O_TRUNC)
		if j.rnd.IntN(2) == 0 {
			j.do(f.Truncate(int64(len(j.data))))
		} else {
			j.do(unix.Fallocate(int(f.Fd()), 0, 0, int64(len(j.data))))
		}
		j.stall()
		half := len(j.data) / 2
		order := [][2]int{{0, half}, {half, len(j.data)}}
		if j.rnd.IntN(2) == 0 {
			order[0], order[1] = order[1], order[0]
		}
		for _, part := range order {
			_, err := f.WriteAt(j.data[part[0]:part[1]], int64(part[0]))
			j.do(err)
			j.stall()
		}
		j.do(f.Close())
	},
	"preserved old mtime": func(j *job) {
		src := j.source()
		old := time.Now().AddDate(-3, 0, 0)
		j.do(os.Chtimes(src, old, old))
		j.run("cp", "-p", src, j.path)
	},
	".part then rename": func(j *job) {
		part := j.path + ".part"
		f := j.create(part, os.O_TRUNC)
		j.write(f, j.data[:len(j.data)/2])
		j.stall()
		j.write(f, j.data[len(j.data)/2:])
		j.do(f.Close())
		j.do(os.Rename(part, j.path))
	},
	"truncate and send again": func(j *job) {
		f := j.create(j.path, os.O_TRUNC)
		j.write(f, j.data[:len(j.data)*2/3])
		j.do(f.Close())
		j.stall()
		f = j.create(j.path, os.O_TRUNC)
		j.write(f, j.data[:len(j.data)/3])
		j.stall()
		j.write(f, j.data[len(j.data)/3:])
		j.do(f.Close())
	},
	"append after reopening": func(j *job) {
		f := j.create(j.path, os.O_TRUNC)
		j.write(f, j.data[:len(j.data)/2])
		j.do(f.Close())
		j.stall()
		f = j.create(j.path, os.O_APPEND)
		j.write(f, j.data[len(j.data)/2:])
		j.do(f.Close())
	},
	"delete while importing": func(j *job) {
		j.do(os.Rename(j.source(), j.path))
		time.Sleep(time.Duration(j.rnd.IntN(20)) * time.Millisecond)
		if err := os.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.do(err)
		}
		j.final = nil
	},
	"replace while importing": func(j *job) {
		j.do(os.Rename(j.source(), j.path))
		time.Sleep(time.Duration(j.rnd.IntN(20)) * time.Millisecond)
		j.data = append(append([]byte{}, j.data...), 0)
		if strings.HasSuffix(j.path, ".jpg") {
			j.data = jpeg(len(j.data)+100, j.rnd.Uint64())
		}
		j.whole[sum(j.data)] = true
		j.final = j.data
		j.do(os.Rename(j.source(), j.path))
	},
	"rsync": func(j *job) { j.run("rsync", "-t", j.source(), j.path) },
	"zero bytes": func(j *job) {
		f := j.create(j.path, os.O_TRUNC)
		j.do(f.Close())
		if j.rnd.IntN(2) == 0 {
			j.final, j.failed = nil, true
			return
		}
		j.stall()
		f = j.create(j.path, 0)
		j.write(f, j.data)
		j.do(f.Close())
	},
}

func TestWriters_nobodysFileIsTakenHalfOrLost(t *testing.T) {
	syscall.Umask(0o022)
	dir := t.TempDir()
	r := start(t, options(t, dir, rule("inbox", func(r *config.Rule) {
		r.Complete.Settle = config.Duration(4 * time.Second) // far above the writers' pauses, also on a busy machine
		r.Complete.Patience = config.DefaultPatience
	})))
	outside := filepath.Join(dir, "outside")
	if err := os.MkdirAll(outside, 0o777); err != nil {
		t.Fatal(err)
	}
	jobs := make([]*job, 0, writerRuns)
	var kinds []string
	for kind := range writers {
		kinds = append(kinds, kind)
	}
	for i := range writerRuns {
		jobs = append(jobs, newJob(t, r, outside, i))
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 200)
	for i, j := range jobs {
		wg.Go(func() {
			slots <- struct{}{}
			writers[kinds[i%len(kinds)]](j)
			<-slots
		})
	}
	wg.Wait()
	within(t, 90*time.Second, "hotfolder empty", func() bool { return isEmpty(r.inbox("")) })
	checkRecords(t, r, jobs, kinds)
	for i, j := range jobs {
		j.check(r, kinds[i%len(kinds)])
	}
}

func newJob(t *testing.T, r *running, outside string, i int) *job {
	rnd := rand.New(rand.NewPCG(uint64(i), 3))
	data := jpeg(20_000+rnd.IntN(80_000), uint64(i)+1000)
	ext := ".jpg"
	if i/12%3 == 0 { // a format that cannot prove itself
		data, ext = data[100:len(data)-100], ".dat"
	}
	return &job{
		t: t, rnd: rnd, outside: outside, path: r.inbox(fmt.Sprintf("%04d%s", i, ext)), data: data,
		whole: map[asset.Hash]bool{sum(data): true}, final: data,
	}
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// checkRecords: whatever was committed was whole.
func checkRecords(t *testing.T, r *running, jobs []*job, kinds []string) {
	t.Helper()
	byKey := map[asset.Key]int{}
	for i, j := range jobs {
		byKey[asset.Key(filepath.Base(j.path))] = i
	}
	seen := map[string]bool{}
	walkFiles(t, filepath.Join(r.dir, "workarea", "ledger"), func(path string, data []byte) {
		var rec asset.Record
		if err := json.Unmarshal(data, &rec); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		i := byKey[rec.Key]
		if !jobs[i].whole[rec.Content.Hash] {
			t.Errorf("%s (%s): imported with %d bytes, which its writer never meant", rec.Key, kinds[i%len(kinds)], rec.Content.Size)
		}
		once := string(rec.Key) + rec.Content.Hash.String()
		if seen[once] {
			t.Errorf("%s (%s): imported twice", rec.Key, kinds[i%len(kinds)])
		}
		seen[once] = true
	})
}

func (j *job) check(r *running, kind string) {
	name := filepath.Base(j.path)
	failed := filepath.Join(r.dir, "workarea", "failed", "inbox", name)
	_, err := os.Stat(failed)
	switch {
	case j.failed && err != nil:
		j.t.Errorf("%s (%s): want it in failed/, got %v", name, kind, err)
	case !j.failed && err == nil:
		j.t.Errorf("%s (%s): it is in failed/", name, kind)
	case j.final != nil && string(imported(j.t, r.Area(), asset.Key("inbox/"+name))) != string(j.final):
		j.t.Errorf("%s (%s): its last content was not imported", name, kind)
	}
}
