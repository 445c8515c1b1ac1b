package ftpgate

import (
	"path"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage/storagetest"
)

// jailed is a session of a user with two hotfolders, on nothing.
func jailed() *session {
	store := storagetest.NewMem()
	g := &Gate{o: Options{Reads: func(string) bool { return false }, Folders: func(name string) (Folder, bool) {
		return Folder{Store: store, Prefix: asset.Key("hotfolders/" + name), Aside: "hotfolders/inbox/aside"}, true
	}}}
	u := &User{Name: "cam", Mounts: map[string]string{"/": "inbox", "/deep/products": "products"}, Permissions: MayUpload}
	return &session{g: g, cwd: "/", user: u}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{
		"a", "/a/b", "../../x", "/deep/products/x", "/deep/products/../../x", "aside/x", ".hotfolderd", "a/./b//c", "~", "", "/", "..", "\xff", "a\x00",
		strings.Repeat("../", 100), strings.Repeat("a/", 3000), "deep/products/.HOTFOLDERD/x",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, folder, param string) {
		if len(folder) > maxLine || len(param) > maxLine {
			return // no line is that long
		}
		s := jailed()
		s.cwd = s.path(folder)
		if s.cwd != path.Clean(s.cwd) || !path.IsAbs(s.cwd) {
			t.Fatalf("want a clean, absolute folder, got %q", s.cwd)
		}
		p, err := s.find(param)
		if err != nil {
			return
		}
		full := p.full()
		prefix := asset.Key("hotfolders/" + p.hotfolder)
		if full != prefix && !isBelow(full, prefix) {
			t.Fatalf("want a key in %q, got %q", prefix, full)
		}
		if key, err := asset.ParseKey(string(full)); len(full) <= asset.MaxKey && (err != nil || key != full) {
			t.Fatalf("want a key, got %q: %v", full, err)
		}
		if full == "hotfolders/inbox/aside" || isBelow(full, "hotfolders/inbox/aside") || hasControl(string(full)) {
			t.Fatalf("want nothing that is hidden, got %q", full)
		}
		for part := range strings.SplitSeq(string(full), "/") {
			if strings.HasPrefix(strings.ToLower(part), ".hotfolderd") {
				t.Fatalf("want nothing of the store's own, got %q", full)
			}
		}
		inProducts := s.path(param) == "/deep/products" || strings.HasPrefix(s.path(param), "/deep/products/")
		if (p.hotfolder == "products") != inProducts {
			t.Fatalf("want %q in the hotfolder of its place, got %q", s.path(param), p.hotfolder)
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"127,0,0,1,4,5", "|1|127.0.0.1|5|", "|2|::1|5|", "||||", "|1|::ffff:1.2.3.4|5|", "|2|fe80::1%eth0|5|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (a interface{ IsValid() bool }, err error){
			func(s string) (interface{ IsValid() bool }, error) { return parsePort(s) },
			func(s string) (interface{ IsValid() bool }, error) { return parseEprt(s) },
		} {
			if a, err := parse(s); err == nil && !a.IsValid() {
				t.Fatalf("%q: want an address or an error, got %v", s, a)
			}
		}
	})
}
