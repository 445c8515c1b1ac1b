package hotfolder

import (
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// rule is the default rule with what change does to it.
func rule(change func(*config.Rule)) config.Rule {
	r := config.DefaultRule("inbox")
	if change != nil {
		change(&r)
	}
	return r
}

func matching(include, exclude []string) *Filter {
	return NewFilter(rule(func(r *config.Rule) {
		r.Match.Exclude = exclude
		if include != nil {
			r.Match.Include = include
		}
	}))
}

// systemFiles are names that systems and programs leave behind, one a kind; each was reported by users of such services.
var systemFiles = []asset.Key{
	".DS_Store", ".DS_STORE", "._photo.jpg", ".apdisk", ".localized", "Icon\r", // macOS
	"desktop.ini", "Desktop.ini", "Thumbs.db", "thumbs.db", "ehthumbs.db", "~$report.docx", // Windows and Office
	"a.tmp", "A.TMP", "a.temp", "a.part", "a.partial", "a.filepart", "a.jpg.crdownload", "a.download", "a.tacitpart",
	"a.jpg.ocTransferId123.part", ".~lock.report.odt#", ".syncthing.a.jpg.tmp", ".sftpgo-upload.id.a.jpg", // half-written
	".nfs000000001", ".smbdeleteAAA1", ".fuse_hidden0001", ".#a.txt", ".a.txt.swp", "a.swp", "a.swx", "a.txt~",
	".photo.jpg.x7Yz3Q", ".hidden", // rsync, and whatever is hidden
}

var systemFolders = []asset.Key{
	".stfolder", ".stversions", "@eaDir", "@EADIR", ".Spotlight-V100", ".Trashes", ".Trash-1000", "__MACOSX", "#recycle", "@Recycle",
	"$RECYCLE.BIN", "System Volume Information", "lost+found", ".snapshot", ".rsync-partial", ".git", "@tmp", ".hotfolderd",
}

// innocent are names that only look like those.
var innocent = []asset.Key{
	"DS_Store", "a.DS_Store", "Thumbs.db.jpg", "my thumbs.db.png", "desktop.ini.bak", "template.tmpl", "a.tmp.jpg", "parts", "a.parts",
	"tmp", "part", "temp.jpg", "download.jpg", "swp", "a.swpx", "~a.jpg", "a~b.jpg", "$a.jpg", "lost and found.jpg", "lost+found.jpg",
	"eaDir", "@eaDir.jpg", "MACOSX", "__MACOSX.zip", "recycle", "#1.jpg", "System Volume.jpg", "Icon", "icon.png", "a.b.c", "dot.",
	"café.jpg", "日本.png", "-rf", " a.jpg", "tmp/a.jpg", "part/b.jpg", "\xff.jpg",
}

func TestIgnored_everySystemName(t *testing.T) {
	f := NewFilter(rule(nil))
	for _, name := range systemFiles {
		for _, key := range []asset.Key{name, "a/b c/" + name} {
			if f.Ignored(key) == "" || f.ignoredFile(key) == "" {
				t.Errorf("%q: want it ignored, got taken", key)
			}
		}
	}
	for _, name := range systemFolders {
		if f.EnterFolder(name) || f.EnterFolder("a/b/"+name) {
			t.Errorf("%q: want the folder passed by, got entered", name)
		}
		for _, key := range []asset.Key{name + "/x.jpg", "a/" + name + "/b/x.jpg"} {
			if f.Ignored(key) == "" {
				t.Errorf("%q: want it ignored, got taken", key)
			}
		}
	}
}

func TestIgnored_notWhatOnlyLooksLikeASystemName(t *testing.T) {
	f := NewFilter(rule(nil))
	for _, key := range innocent {
		if why := f.Ignored(key); why != "" || f.ignoredFile(key) != "" {
			t.Errorf("%q: want it taken, got %q", key, why)
		}
		if !f.EnterFolder(key) {
			t.Errorf("%q: want a folder of that name entered, got passed by", key)
		}
	}
}

func TestIgnored_nothingBySystemNamesWhenTheRuleImportsThem(t *testing.T) {
	f := NewFilter(rule(func(r *config.Rule) { r.Match.System = "import" }))
	for _, key := range append(systemFiles, systemFolders...) {
		if why := f.Ignored(key); why != "" || !f.EnterFolder(key) {
			t.Errorf("%q: want it taken, got %q", key, why)
		}
	}
}

func TestIgnored_byTheRulesPatterns(t *testing.T) {
	for _, c := range []struct {
		include, exclude []string
		key              asset.Key
		want             string // part of the reason; empty: taken
	}{
		{nil, nil, "a/b/c.xyz", ""},
		{[]string{"*"}, nil, "a/b/c.xyz", ""},
		{[]string{"**/*"}, nil, "c.xyz", ""},
		{[]string{"*.jpg"}, nil, "a.jpg", ""},
		{[]string{"*.jpg"}, nil, "a/b/c.jpg", ""}, // no slash: in every folder
		{[]string{"*.jpg"}, nil, "a.JPG", ""},
		{[]string{"*.JPG"}, nil, "a.jpg", ""},
		{[]string{"*.jpg"}, nil, "a.jpeg", "match.include"},
		{[]string{"*.jpg"}, nil, "a.jpg/b.png", "match.include"},
		{[]string{"**/*.{jpg,png}"}, nil, "a.png", ""},
		{[]string{"**/*.{jpg,png}"}, nil, "x/y/a.PNG", ""},
		{[]string{"in/*.jpg"}, nil, "in/a.jpg", ""},
		{[]string{"in/*.jpg"}, nil, "IN/a.jpg", ""},
		{[]string{"in/*.jpg"}, nil, "in/deep/a.jpg", "match.include"},
		{[]string{"in/**"}, nil, "in/deep/er/a", ""},
		{[]string{"in/**"}, nil, "out/a", "match.include"},
		{[]string{"*.jpg", "*.png"}, nil, "a.png", ""},
		{nil, []string{"*.txt"}, "a/notes.TXT", "match.exclude *.txt"},
		{nil, []string{"*.txt"}, "a/notes.txt.jpg", ""},
		{nil, []string{"raw/**"}, "Raw/a.jpg", "match.exclude raw/**"},
		{nil, []string{"raw/**"}, "a/raw/a.jpg", ""},
		{[]string{"*.jpg"}, []string{"draft*"}, "a/draft1.jpg", "match.exclude draft*"}, // exclude wins
		{[]string{"[0-9]*.jpg"}, nil, "7.jpg", ""},
		{[]string{"[0-9]*.jpg"}, nil, "x7.jpg", "match.include"},
		{[]string{"É*.jpg"}, nil, "été.jpg", ""},
		{[]string{"*.jpg"}, nil, "\xff\xfe.jpg", ""},
		{[]string{"*.jpg"}, nil, "line\nbreak.jpg", ""},
	} {
		why := matching(c.include, c.exclude).Ignored(c.key)
		if (c.want == "") != (why == "") || !strings.Contains(why, c.want) {
			t.Errorf("include %q exclude %q, %q: want %q, got %q", c.include, c.exclude, c.key, c.want, why)
		}
	}
}

func marked(pattern string) *Filter {
	return NewFilter(rule(func(r *config.Rule) { r.Complete.DoneMarker = pattern }))
}

func TestMarker_besideEachDrop(t *testing.T) {
	for pattern, want := range map[string]asset.Key{
		"{name}.done": "a/x.jpg.done", ".{name}.ok": "a/.x.jpg.ok", "{name}.tmp": "a/x.jpg.tmp", "ready-{name}": "a/ready-x.jpg",
	} {
		f := marked(pattern)
		if got := f.Marker("a/x.jpg"); got != want {
			t.Errorf("%s: want %q, got %q", pattern, want, got)
		}
		if got, ok := f.markedBy(want); !ok || got != "a/x.jpg" {
			t.Errorf("%s: want the marker to stand for its drop, got %q %v", pattern, got, ok)
		}
		if !f.IsMarker(want) || f.Ignored(want) == "" {
			t.Errorf("%s: want the marker itself never a drop, got taken", pattern)
		}
		if f.IsMarker("a/x.jpg") || f.Ignored("a/x.jpg") != "" {
			t.Errorf("%s: want the drop taken, got ignored", pattern)
		}
	}
}

func TestMarker_withoutANameStandsForNothing(t *testing.T) {
	f := marked("{name}.done")
	for _, key := range []asset.Key{".done", "a/.done", "done", "x.donee"} {
		if got, ok := f.markedBy(key); ok {
			t.Errorf("%q: want no marker, got one for %q", key, got)
		}
	}
}

func TestMarker_forAWholeFolder(t *testing.T) {
	f := marked("READY")
	for key, want := range map[asset.Key]asset.Key{"x.jpg": "READY", "a/b/x.jpg": "a/b/READY"} {
		if got := f.Marker(key); got != want {
			t.Errorf("%q: want %q, got %q", key, want, got)
		}
		if got, ok := f.markedBy(want); !ok || got != key.Dir() {
			t.Errorf("%q: want it to stand for the folder %q, got %q %v", want, key.Dir(), got, ok)
		}
	}
	if f.IsMarker("a/READY.jpg") {
		t.Error("want a longer name to be no marker, got one")
	}
}

func TestMarker_noneWithoutARule(t *testing.T) {
	f := NewFilter(rule(nil))
	if f.Marker("x") != "" || f.IsMarker("x.done") || f.Ignored("x.done") != "" {
		t.Error("want no markers at all, got some")
	}
}
