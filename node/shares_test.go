package node

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"hotfolderd/config"
	"hotfolderd/hotfolder"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// remote is a store that other machines write to, by its own word.
type remote struct{ *storagetest.Fault }

func (r remote) Properties() storage.Properties {
	p := r.Fault.Properties()
	p.Remote = true
	return p
}

// onShares makes options for a node with the hotfolder inbox in its own store and share in another, which fail as told: by the last
// part of their folders. Those that are named are shares.
func onShares(t *testing.T, shares ...string) (o Options, dir, share string, faults map[string]*storagetest.Fault) {
	t.Helper()
	base := t.TempDir()
	dir, share = filepath.Join(base, "main"), filepath.Join(base, "share")
	if err := os.MkdirAll(share, 0o777); err != nil {
		t.Fatal(err)
	}
	o, faults = faulty(t, options(t, dir, rule("inbox", impatient), rule("share", impatient, func(r *config.Rule) { r.Path = "file://" + share })))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	wrap := o.Wrap
	o.Wrap = func(s storage.Store) storage.Store {
		for _, name := range shares {
			if strings.HasSuffix(s.Properties().URL, "/"+name) {
				return remote{wrap(s).(*storagetest.Fault)}
			}
		}
		return wrap(s)
	}
	return o, dir, share, faults
}

// soon is generous: what is waited for comes within seconds where there is a processor for it.
const soon = 90 * time.Second

func (r *running) awaitRed(name, because string) {
	r.t.Helper()
	within(r.t, soon, fmt.Sprintf("%s is red, because %s", name, because), func() bool {
		s := r.status(name)
		return s.Level == hotfolder.Red && strings.Contains(s.Reason, because)
	})
}

func (r *running) awaitGreen(name string) {
	r.t.Helper()
	within(r.t, soon, name+" is green", func() bool { return r.status(name).Level == hotfolder.Green })
}

// asks asks the node by HTTP and returns the status of the answer.
func (r *running) asks(path string) int {
	r.t.Helper()
	resp, err := http.Get("http://" + r.Addr() + path)
	if err != nil {
		r.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestShares_aShareThatDoesNotAnswerIsRedAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	o, _, share, faults := onShares(t, "share")
	r := start(t, o)
	r.awaitGreen("share")
	faults["share"].Inject(storagetest.Rule{Hang: true, Deaf: true}) // nothing happens there: it is to be noticed all the same
	r.awaitRed("share", "does not answer")
	const n = 40
	for i := range n {
		write(t, filepath.Join(share, fmt.Sprintf("%d.jpg", i)), jpeg(3000, uint64(i)))
	}
	hung := faults["share"].Count("")
	for i := range 5 {
		name, data := fmt.Sprintf("%d.jpg", i), jpeg(3000, uint64(1000+i))
		write(t, r.inbox(name), data)
		r.expect(name, data)
		if got := r.asks("/v1/hotfolders"); got != http.StatusOK {
			t.Errorf("want the page, got %d", got)
		}
		if got := r.asks("/v1/assets/inbox/" + name); got != http.StatusOK {
			t.Errorf("want an asset of the work area, got %d", got)
		}
	}
	if now := faults["share"].Count(""); now != hung {
		t.Errorf("want no call to a share that does not answer, got %d", now-hung)
	}
	faults["share"].Clear()
	within(t, soon, "all that was dropped meanwhile is imported", func() bool { return r.status("share").Counts.Imported == n })
	r.awaitGreen("share")
	if got := r.status("share").Counts; got.Failed != 0 || got.Imported != n {
		t.Errorf("want each drop imported once, got %+v", got)
	}
}

func TestShares_aWorkAreaThatDoesNotAnswerIsSaidAndGoesOn(t *testing.T) {
	t.Parallel()
	o, _, _, faults := onShares(t, "main")
	r := start(t, o)
	before := jpeg(3000, 1)
	write(t, r.inbox("before.jpg"), before)
	r.expect("before.jpg", before)
	faults["main"].Inject(storagetest.Rule{Hang: true, Deaf: true})
	const n = 40
	for i := range n {
		write(t, r.inbox(fmt.Sprintf("%d.jpg", i)), jpeg(3000, uint64(10+i)))
	}
	r.awaitRed("inbox", "does not answer")
	r.awaitRed("share", "does not answer") // whose drops have nowhere to go
	for path, want := range map[string]int{
		"/livez": http.StatusOK, "/v1/hotfolders": http.StatusOK, "/metrics": http.StatusOK, "/v1/assets/inbox/other.jpg": http.StatusServiceUnavailable,
	} {
		if got := r.asks(path); got != want {
			t.Errorf("%s: want %d, got %d", path, want, got)
		}
	}
	faults["main"].Clear()
	within(t, soon, "all that was dropped meanwhile is imported", func() bool { return r.status("inbox").Counts.Imported == n+1 })
	r.awaitGreen("inbox")
	r.awaitGreen("share")
	if got := len(records(t, r.stores.all["file://"+r.dir])); got != n+1 {
		t.Errorf("want one record for each drop, got %d", got)
	}
	if got := r.status("inbox").Counts; got.Failed != 0 {
		t.Errorf("want no drop given up, got %+v", got)
	}
}

// away has an empty folder in the place of a share, as an unmount has.
func away(t *testing.T, dir string) (back func()) {
	t.Helper()
	rename := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	rename(dir, dir+".away")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return func() { rename(dir, dir+".empty"); rename(dir+".away", dir) }
}

func TestShares_oneThatWasUnmountedIsNoEmptyOne(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"main", "share"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, dir, share, _ := onShares(t, "main", "share")
			r := start(t, o)
			r.awaitGreen("inbox")
			r.awaitGreen("share")
			data := jpeg(3000, 1)
			if name == "main" {
				back := away(t, dir)
				r.awaitRed("inbox", "mounted")
				r.awaitRed("share", "mounted")
				back()
				write(t, r.inbox("a.jpg"), data)
				r.expect("a.jpg", data)
				return
			}
			back := away(t, share)
			r.awaitRed("share", "mounted")
			write(t, filepath.Join(share, "beside.jpg"), data) // into the mount point; it is there when the share is unmounted again
			write(t, r.inbox("a.jpg"), data)
			r.expect("a.jpg", data)
			if _, err := os.Stat(filepath.Join(share, "beside.jpg")); err != nil {
				t.Errorf("want what lies in the mount point left alone: %v", err)
			}
			back()
			write(t, filepath.Join(share, "b.jpg"), data)
			within(t, soon, "drops are imported when it is back", func() bool { return r.status("share").Counts.Imported == 1 })
			r.awaitGreen("share")
		})
	}
}

// TestShares_oneThatIsMountedLateIsLookedInto has the node begin with the empty mount point, on the machine's own disk.
func TestShares_oneThatIsMountedLateIsLookedInto(t *testing.T) {
	t.Parallel()
	o, _, share, _ := onShares(t)
	r := start(t, o)
	r.awaitGreen("share")
	away(t, share)
	write(t, filepath.Join(share, "a.jpg"), jpeg(3000, 1))
	within(t, soon, "a drop into what is there now is imported", func() bool { return r.status("share").Counts.Imported == 1 })
	r.awaitGreen("share")
}

// TestShares_oneThatMayNotBeChangedSaysSo has what a server says of an account that it takes for nobody, and of an export to be read only.
func TestShares_oneThatMayNotBeChangedSaysSo(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.EACCES, syscall.EROFS, fmt.Errorf("%w: %w", storage.ErrFull, syscall.EDQUOT)} {
		t.Run(cause.Error(), func(t *testing.T) {
			t.Parallel()
			o, _, share, faults := onShares(t, "share")
			r := start(t, o)
			r.awaitGreen("share")
			lift := faults["share"].Inject(storagetest.Rule{Op: storagetest.OpRemove, Err: cause})
			drop := filepath.Join(share, "a.jpg")
			write(t, drop, jpeg(3000, 1))
			within(t, soon, "it waits and says why", func() bool {
				s := r.status("share")
				return s.Level == hotfolder.Amber && strings.Contains(s.Reason, cause.Error())
			})
			within(t, soon, "it is tried more often than a drop that is at fault", func() bool { return faults["share"].Count(storagetest.OpRemove) > 6 })
			if _, err := os.Stat(drop); err != nil {
				t.Errorf("want the drop left where it is: %v", err)
			}
			lift()
			within(t, soon, "it is imported", func() bool { return r.status("share").Counts.Imported == 1 })
			r.awaitGreen("share")
		})
	}
}

// TestShares_oneThatWasNotMountedAtTheStartIsNoEmptyOne has a node start again when only the mount point is there.
func TestShares_oneThatWasNotMountedAtTheStartIsNoEmptyOne(t *testing.T) {
	t.Parallel()
	o, _, share, _ := onShares(t, "share")
	o.Memory = filepath.Join(t.TempDir(), "state")
	r := start(t, o)
	r.awaitGreen("share")
	r.end()

	back := away(t, share)
	data := jpeg(3000, 1)
	write(t, filepath.Join(share, "beside.jpg"), data)
	wrap := o.Wrap
	var mounted atomic.Bool
	o.Wrap = func(s storage.Store) storage.Store {
		if w, ok := wrap(s).(remote); ok && !mounted.Load() {
			return w.Fault
		} else if ok {
			return w
		}
		return s
	}
	o.Registry = prometheus.NewRegistry()
	r = start(t, o)
	r.awaitRed("share", "not mounted")
	write(t, r.inbox("a.jpg"), data)
	r.expect("a.jpg", data)
	if _, err := os.Stat(filepath.Join(share, "beside.jpg")); err != nil {
		t.Errorf("want what lies in the mount point left alone: %v", err)
	}
	mounted.Store(true)
	back()
	write(t, filepath.Join(share, "b.jpg"), data)
	within(t, soon, "drops are imported when it is mounted", func() bool { return r.status("share").Counts.Imported == 1 })
	r.awaitGreen("share")
}

// hang mounts what never answers over a folder, as a share is whose server is away. After back it is the folder again.
func hang(t *testing.T, dir string) (back func()) {
	t.Helper()
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("what hangs here is a mount of FUSE: %v", err)
	}
	end := sync.OnceFunc(func() {
		fuse.Close()
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	})
	t.Cleanup(end)
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", fuse.Fd(), os.Getuid(), os.Getgid())
	if err := unix.Mount("hung", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		end()
		t.Skipf("what hangs here is a mount of FUSE, for which a test must be root: %v", err)
	}
	return end
}

func TestShares_oneThatDoesNotAnswerAtTheStartHoldsUpNobody(t *testing.T) {
	t.Parallel()
	o, _, share, _ := onShares(t, "share")
	back := hang(t, share)
	begin := time.Now()
	r := start(t, o)
	t.Logf("started after %v", time.Since(begin).Round(time.Millisecond))
	r.awaitRed("share", "does not answer")
	data := jpeg(3000, 1)
	write(t, r.inbox("a.jpg"), data)
	r.expect("a.jpg", data)
	r.reload(t.Context())
	if r.rulesError != "" {
		t.Errorf("want rules loaded while a share does not answer, got %s", r.rulesError)
	}
	back()
	write(t, filepath.Join(share, "b.jpg"), data)
	within(t, soon, "drops are imported when it is back", func() bool { return r.status("share").Counts.Imported == 1 })
	r.awaitGreen("share")
}

// TestShares_rulesThatComeWhileTheWorkAreaIsAwayAreTakenLater has them refused, since the new folder could not be made.
func TestShares_rulesThatComeWhileTheWorkAreaIsAwayAreTakenLater(t *testing.T) {
	t.Parallel()
	o, _, _, faults := onShares(t, "main")
	rules := t.TempDir()
	write(t, filepath.Join(rules, "inbox.yaml"), []byte(inboxRule))
	o.Rules = RuleFolder(rules)
	r := start(t, o)
	r.awaitGreen("inbox")
	faults["main"].Inject(storagetest.Rule{Hang: true, Deaf: true})
	r.awaitRed("inbox", "does not answer")
	write(t, filepath.Join(rules, "more.yaml"), []byte(strings.ReplaceAll(inboxRule, "inbox", "more")))
	within(t, soon, "refused", func() bool { return r.view().RulesError != "" })
	faults["main"].Clear()
	within(t, soon, "they are in force when it is back", func() bool { return r.view().RulesError == "" && len(r.room.Status()) == 2 })
}

func TestShares_aWorkAreaThatDoesNotAnswerAtTheStartIsSaid(t *testing.T) {
	t.Parallel()
	o, dir, _, _ := onShares(t, "main")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	hang(t, dir)
	n, err := New(t.Context(), o)
	if err == nil {
		t.Fatal(n.Close())
	}
	if !errors.Is(err, storage.ErrSilent) || !strings.Contains(err.Error(), "start again") {
		t.Errorf("want it said that the store does not answer and what to do, got %v", err)
	}
}

// TestMountDoubts_waitForNoShareThatHangs has the folder behind a link.
func TestMountDoubts_waitForNoShareThatHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	share, link := filepath.Join(dir, "share"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(share, 0o777), os.Symlink(share, link)); err != nil {
		t.Fatal(err)
	}
	hang(t, share)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		MountDoubts(t.Context(), filepath.Join(link, "below"))
	}()
	select {
	case <-ended:
	case <-time.After(soon):
		t.Error("want an end without an answer of the share")
	}
}
