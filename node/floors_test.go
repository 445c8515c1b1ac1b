package node_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// The floors of the house. An import goes to a lower floor or stays in its own room.
//
//	6 cmd              may use everything
//	5 node             joins the rooms
//	4 the rooms        sisters: none imports another; cluster stands on the Consul of leases/consul
//	3 the adapters     each knows its own contract only; admin and intake know the contracts
//	2 the contracts    accounts, which the doors share, and the client of applications, which needs nothing but the ground
//	0-1 the ground     asset, and config that speaks of it: values and settings, no I/O
const contracts = 2

var floors = map[string]int{
	"asset": 0, "config": 1,
	"storage": contracts, "leases": contracts, "client": contracts, "accounts": contracts,
	"storage/*": 3, "leases/*": 3, "admin": 3, "intake": 3,
	"cluster": 4, "hotfolder": 4, "workarea": 4, "thumbnails": 4, "ftpgate": 4, "httpgate": 4, "cache": 4,
	"node": 5,
	"cmd":  6, "testdata": 6, "test": 6,
}

// sdks says who may import what is not ours. What is not named here, anybody above the ground may import.
var sdks = map[string][]string{
	"github.com/minio/minio-go":         {"storage/s3", "test"},
	"github.com/fsnotify/fsnotify":      {"storage/posix"},
	"github.com/hashicorp/consul/api":   {"leases/consul", "cluster"},
	"goftp.io/server":                   {"ftpgate"},
	"github.com/tus/tusd":               {"httpgate"},
	"golang.org/x/net/webdav":           {"httpgate"},
	"github.com/pires/go-proxyproto":    {"ftpgate"},
	"github.com/disintegration/imaging": {"thumbnails"},
	"github.com/maypok86/otter":         {"cache"},
	"golang.org/x/image":                {"thumbnails", "testdata"},
	"github.com/spf13/cobra":            {"cmd"},
}

// groundless is what the ground must not import: it does no I/O and does not log.
var groundless = []string{"go.uber.org/zap", "os", "net/http", "log", "syscall", "golang.org/x/sys"}

var vagueNames = []string{"util", "utils", "common", "types", "helpers", "helper", "misc", "shared", "base", "lib"}

const module = "hotfolderd"

func TestFloors(t *testing.T) {
	faults, packages := inspect(t, os.DirFS(".."))
	if packages < 5 {
		t.Fatalf("only %d packages were found: this test looks in the wrong place", packages)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestFloors_seesEachFault builds a small house with every fault in it.
func TestFloors_seesEachFault(t *testing.T) {
	house := fstest.MapFS{}
	file := func(name, source string) { house[name] = &fstest.MapFile{Data: []byte(source)} }
	file("asset/a.go", "// Package asset is.\npackage asset\nimport \"os\"\n")
	file("config/a.go", "// Package config is.\npackage config\nimport \"hotfolderd/storage\"\n")
	file("storage/a.go", "// Package storage is.\npackage storage\nimport \"hotfolderd/asset\"\n")
	file("storage/s3/a.go", "// Package s3 is.\npackage s3\nimport \"hotfolderd/leases\"\nimport \"github.com/minio/minio-go/v7\"\n")
	file("storage/posix/a.go", "// Package posix is.\npackage posix\nimport \"hotfolderd/storage/s3\"\n")
	file("hotfolder/a.go", "// Package hotfolder is.\npackage hotfolder\nimport \"hotfolderd/workarea\"\nimport \"hotfolderd/hotfolder/proof\"\n")
	file("hotfolder/proof/a.go", "// Package proof is.\npackage proof\nimport \"github.com/spf13/cobra\"\n")
	file("workarea/a.go", "package workarea\nfunc init() {}\n")
	file("workarea/a_test.go", "package workarea\nimport \"context\"\nvar _ = context.Background()\nfunc init() {}\n")
	file("admin/util/a.go", "// Package util is.\npackage util\n")
	file("admin/a.go", `// Package admin is.
package admin
import "context"
var _ = context.Background()
var _ = context.Background() // cleanup: bounded
// cleanup: bounded
var _ = context.TODO()
`)
	file("attic/a.go", "// Package attic is.\npackage attic\n")
	file("cmd/x/a.go", "// Command x is.\npackage main\nimport \"context\"\nimport \"hotfolderd/node\"\nvar _ = context.Background()\n")
	file("tools/go.mod", "module other")
	file("tools/a.go", "package helpers\n")
	want := []string{
		`admin/a.go:4: context.Background() without a "// cleanup:" that says what bounds it`,
		`admin/util/a.go: a package must not be called "util"`,
		`asset/a.go: asset must not import "os": the ground does no I/O`,
		`attic/a.go: "attic" is on no floor`,
		`config/a.go: config (floor 1) imports storage (floor 2)`,
		`hotfolder/a.go: hotfolder (floor 4) imports workarea (floor 4)`,
		`hotfolder/proof/a.go: hotfolder must not import "github.com/spf13/cobra": only [cmd] may`,
		`storage/posix/a.go: storage/posix (floor 3) imports storage/s3 (floor 3)`,
		`storage/s3/a.go: storage/s3 imports leases, which is not its contract`,
		`workarea/a.go:2: func init`,
		`workarea: no file has a comment that begins with "Package workarea"`,
	}
	got, _ := inspect(t, house)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("want\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

// inspection walks one tree and collects what is wrong.
type inspection struct {
	tree       fs.FS
	positions  *token.FileSet
	faults     []string
	documented map[string]bool // by folder
}

// inspect returns the faults and the number of packages.
func inspect(t *testing.T, tree fs.FS) (faults []string, packages int) {
	t.Helper()
	in := &inspection{tree: tree, positions: token.NewFileSet(), documented: map[string]bool{}}
	if err := fs.WalkDir(tree, ".", in.visit); err != nil {
		t.Fatal(err)
	}
	for dir, ok := range in.documented {
		if !ok {
			in.fault("%s: no file has a comment that begins with \"Package %s\"", dir, path.Base(dir))
		}
	}
	return in.faults, len(in.documented)
}

func (in *inspection) fault(format string, args ...any) {
	in.faults = append(in.faults, fmt.Sprintf(format, args...))
}

// visit skips what is no part of the module: hidden folders, and modules of their own.
func (in *inspection) visit(name string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case d.IsDir() && name != ".":
		_, err := fs.Stat(in.tree, path.Join(name, "go.mod"))
		if err == nil || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return fs.SkipDir
		}
	case strings.HasSuffix(name, ".go"):
		return in.file(name)
	}
	return nil
}

func (in *inspection) file(name string) error {
	source, err := fs.ReadFile(in.tree, name)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(in.positions, name, source, parser.ParseComments)
	if err != nil {
		return err
	}
	if strings.HasSuffix(name, "_test.go") {
		return nil // tests may look around as they like
	}
	dir := path.Dir(name)
	in.documented[dir] = in.documented[dir] || documents(f)
	if slices.Contains(vagueNames, f.Name.Name) {
		in.fault("%s: a package must not be called %q", name, f.Name.Name)
	}
	if _, ok := floors[floorOf(dir)]; !ok {
		in.fault("%s: %q is on no floor", name, dir)
		return nil
	}
	for _, spec := range f.Imports {
		to, _ := strconv.Unquote(spec.Path.Value)
		in.arrow(name, dir, to)
	}
	in.calls(name, f)
	return nil
}

// documents reports whether this file holds the package comment: for a command any comment will do.
func documents(f *ast.File) bool {
	text := f.Doc.Text()
	return f.Name.Name == "main" && text != "" || strings.HasPrefix(text, "Package "+f.Name.Name+" ")
}

// roomOf is the room that a folder of the module belongs to: its first part, except that each adapter is one for itself.
func roomOf(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	if len(parts) > 1 && (parts[0] == "storage" || parts[0] == "leases") {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// floorOf is the room's key in floors.
func floorOf(dir string) string {
	if contract, _, ok := strings.Cut(roomOf(dir), "/"); ok {
		return contract + "/*"
	}
	return roomOf(dir)
}

// arrow checks one import.
func (in *inspection) arrow(name, dir, to string) {
	room := roomOf(dir)
	if ours, ok := strings.CutPrefix(to, module+"/"); ok {
		in.inner(name, room, roomOf(ours))
		return
	}
	for sdk, allowed := range sdks {
		if within(to, sdk) && !slices.Contains(allowed, room) {
			in.fault("%s: %s must not import %q: only %v may", name, room, to, allowed)
		}
	}
	if floors[floorOf(room)] < contracts && slices.ContainsFunc(groundless, func(g string) bool { return within(to, g) }) {
		in.fault("%s: %s must not import %q: the ground does no I/O", name, room, to)
	}
}

func within(to, prefix string) bool { return to == prefix || strings.HasPrefix(to, prefix+"/") }

// inner checks an import of ours.
func (in *inspection) inner(name, from, to string) {
	if from == to {
		return
	}
	here, there := floors[floorOf(from)], floors[floorOf(to)]
	if there >= here {
		in.fault("%s: %s (floor %d) imports %s (floor %d)", name, from, here, to, there)
		return
	}
	if contract, _, adapter := strings.Cut(from, "/"); adapter && there == contracts && to != contract {
		in.fault("%s: %s imports %s, which is not its contract", name, from, to)
	}
}

// calls looks for init functions, and for contexts that nothing ends.
func (in *inspection) calls(name string, f *ast.File) {
	cleanup := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "// cleanup:") {
				line := in.positions.Position(c.Pos()).Line
				cleanup[line], cleanup[line+1] = true, true
			}
		}
	}
	top := roomOf(name)
	ast.Inspect(f, func(n ast.Node) bool {
		line := 0
		if n != nil {
			line = in.positions.Position(n.Pos()).Line
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				in.fault("%s:%d: func init", name, line)
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			endless := ok && x.Name == "context" && (n.Sel.Name == "Background" || n.Sel.Name == "TODO")
			if endless && !cleanup[line] && top != "cmd" && top != "testdata" {
				in.fault("%s:%d: context.%s() without a \"// cleanup:\" that says what bounds it", name, line, n.Sel.Name)
			}
		}
		return true
	})
}
