package posix

import (
	"strings"
	"testing"
)

const mountinfo = `21 1 253:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:40 / /srv/share rw,relatime shared:2 - nfs4 10.0.0.1:/ rw,vers=4.2,rsize=131072,hard,proto=tcp,local_lock=none,addr=10.0.0.1
31 21 0:41 / /srv/share/in\040side rw,relatime - nfs 10.0.0.1:/x rw,vers=3,soft,nocto,nolock,acregmin=600,acregmax=600,acdirmin=600,acdirmax=600,local_lock=all
32 21 0:42 / /srv/win ro,relatime - cifs //10.0.0.1/x ro,cache=loose,actimeo=1
33 21 0:43 / /srv/slow rw - nfs4 10.0.0.1:/ rw,noac,acregmax=30
34 21 0:44 / /srv/read ro - ext4 /dev/vdb ro
a line that is none
`

// TestDoubts_areOfTheMountThatHoldsTheFolder looks at folders below several mounts.
func TestDoubts_areOfTheMountThatHoldsTheFolder(t *testing.T) {
	for dir, want := range map[string]string{
		"/home/x":                "",
		"/srv/share/store":       "",
		"/srv/shareholders":      "",
		"/srv/share/in side/x/y": "soft nocto nolock local_lock=all acregmax=600 acdirmax=600",
		"/srv/win":               "ro cache=loose",
		"/srv/slow/x":            "",
		"/srv/read/x":            "", // no share: the store tells that it cannot be written to
	} {
		var got []string
		for _, d := range mountOf(dir, strings.NewReader(mountinfo)).doubts() {
			got = append(got, d.Option)
			if d.Why == "" || d.Do == "" || !strings.HasPrefix(dir, d.Mount) {
				t.Errorf("%s: want a reason and what to do, got %+v", dir, d)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: want %q, got %q", dir, want, got)
		}
	}
	if got := Doubts(t.TempDir()); len(got) > 0 {
		t.Errorf("want nothing of a folder of this machine, got %v", got)
	}
}
