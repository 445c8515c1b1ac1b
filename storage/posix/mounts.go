package posix

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Doubt is a mount option of a share that makes it other than nodes need it.
type Doubt struct {
	// Option as the kernel names it, and the folder where it is mounted.
	Option, Mount string
	// Why it is wrong, and what to do: one sentence each.
	Why, Do string
}

// Problem is what is wrong, in one line.
func (d Doubt) Problem() string {
	return fmt.Sprintf("%s is mounted with %s: %s", strconv.Quote(d.Mount), d.Option, d.Why)
}

// Doubts tells which options of the mount that holds a folder do not suit a store, by /proc/self/mountinfo: the folder itself is not
// touched, so that a share which hangs holds up nobody, and links in its path are not followed. What the server is told to do (an export with async) cannot be seen from here. Empty where there is no
// such file.
func Doubts(dir string) []Doubt {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	return mountOf(dir, f).doubts()
}

// mount is a line of mountinfo.
type mount struct {
	point, kind string
	options     map[string]string // of the mount and of its file system
}

// mountOf is the mount that a folder lies in: the last one with the longest path.
func mountOf(dir string, mountinfo io.Reader) (m mount) {
	for lines := bufio.NewScanner(mountinfo); lines.Scan(); {
		here, is, ok := strings.Cut(lines.Text(), " - ")
		place, what := strings.Fields(here), strings.Fields(is)
		if !ok || len(place) < 6 || len(what) < 3 {
			continue
		}
		point := unescape.Replace(place[4])
		if len(point) >= len(m.point) && isWithin(dir, point) {
			m = mount{point, what[0], options(place[5] + "," + what[len(what)-1])}
		}
	}
	return m
}

// unescape takes back what the kernel does to paths there.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func isWithin(dir, point string) bool {
	return dir == point || strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/")
}

func options(list string) map[string]string {
	all := map[string]string{}
	for o := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(o, "=")
		all[name] = value
	}
	return all
}

// longCache is how many seconds of caching are no default of anybody.
const longCache = 60

// doubtful are the options that do not suit, by the first part of the file system's name.
var doubtful = []struct {
	kind, name string
	when       func(value string) bool // nil: whenever it is there
	why, do    string
}{
	{"", "ro", nil, "nothing can be imported or removed there", "mount it read-write"},
	{"nfs", "soft", nil, "what the server does not answer in time fails although it may be done", "mount it hard, which is the default"},
	{"nfs", "softerr", nil, "what the server does not answer in time fails although it may be done", "mount it hard, which is the default"},
	{"nfs", "nocto", nil, "this machine may read old bytes of a file that another one has written to", "mount it without, which is the default"},
	{"nfs", "nolock", nil, "conditions on files of the work area hold on this machine alone", "mount it with lock, which is the default"},
	{"nfs", "local_lock", not("none"), "conditions on files of the work area hold on this machine alone", "mount it without"},
	{"nfs", "acregmax", over(longCache), "a file that another machine writes to in its place is seen so late", "leave it at its default, 60"},
	{"nfs", "acdirmax", over(longCache), "a folder that another machine renamed is seen so late", "leave it at its default, 60"},
	{"cifs", "cache", is("loose"), "this machine may read old bytes of a file that another one has written to", "mount it with cache=strict, which is the default"},
	{"cifs", "actimeo", over(longCache), "what other machines do is seen so late", "leave it at its default, 1"},
	{"cifs", "nobrl", nil, "conditions on files of the work area hold on this machine alone", "mount it without"},
}

func is(wrong string) func(string) bool  { return func(v string) bool { return v == wrong } }
func not(right string) func(string) bool { return func(v string) bool { return v != right } }
func over(seconds int) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n > seconds
	}
}

func (m mount) doubts() (all []Doubt) {
	if !m.shared() {
		return nil
	}
	for _, d := range doubtful {
		value, has := m.options[d.name]
		if !has || !strings.HasPrefix(m.kind, d.kind) && !(d.kind == "cifs" && m.kind == "smb3") || d.when != nil && !d.when(value) {
			continue
		}
		option := d.name
		if value != "" {
			option += "=" + value
		}
		all = append(all, Doubt{Option: option, Mount: m.point, Why: d.why, Do: d.do})
	}
	return all
}

// shared reports whether other machines write there. A mount says nfs4 or fuse.sshfs where its magic number says no more than nfs and fuse.
func (m mount) shared() bool {
	for _, kind := range fsKinds {
		if !kind.local && strings.HasPrefix(m.kind, kind.name) {
			return true
		}
	}
	return false
}
