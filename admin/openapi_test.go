package admin

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hotfolderd/admin/admintest"
	"hotfolderd/asset"
)

// document is the description of the API, as it is served.
func document(t *testing.T) *admintest.Document {
	t.Helper()
	text, err := openapiDocument()
	if err != nil {
		t.Fatal(err)
	}
	d, err := admintest.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// forPrograms reports whether a route belongs to the API: pages and doors of other protocols do not.
func forPrograms(rt route) bool {
	probe := slices.Contains([]string{"/livez", "/readyz", "/metrics"}, rt.pattern)
	tus := strings.HasPrefix(rt.pattern, UploadsPath)
	return !rt.missing && !tus && (probe || strings.HasPrefix(rt.pattern, "/v1/"))
}

func TestOpenAPI_hasEveryRouteAndNoOther(t *testing.T) {
	b := newFake().backend()
	b.PutAsset, b.RemoveAsset = newFake().putNothing, newFake().removeNothing
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	inDocument := document(t).Operations()
	inTable := map[string]bool{}
	for _, rt := range s.table() {
		if !forPrograms(rt) {
			continue
		}
		for m := range rt.methods {
			at := rt.pattern
			if rt.raw {
				at = rawPath(inDocument, at)
			}
			inTable[m+" "+at] = true
			if _, ok := inDocument[m+" "+at]; !ok {
				t.Errorf("%s %s is answered and not described: give it an entry in a file of admin/openapi", m, at)
			}
		}
	}
	for at := range inDocument {
		if !inTable[at] {
			t.Errorf("%s is described in admin/openapi and not answered", at)
		}
	}
}

// rawPath is the path in the document that a prefix stands for.
func rawPath(inDocument map[string]any, prefix string) string {
	for at := range inDocument {
		_, p, _ := strings.Cut(at, " ")
		if rest, ok := strings.CutPrefix(p, prefix); ok && strings.HasPrefix(rest, "{") && !strings.Contains(rest, "/") {
			return p
		}
	}
	return prefix + "{path}"
}

var queryUse = regexp.MustCompile(`(?:Query\(\)|\bp)\.(?:Get|Has)\("([a-z_]+)"\)|numberOf\([^"]*"([a-z_]+)"`)

// TestOpenAPI_hasEveryParameter looks into the source for the queries that handlers read.
func TestOpenAPI_hasEveryParameter(t *testing.T) {
	text, err := openapiDocument()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "page") {
			continue
		}
		for _, m := range queryUse.FindAllSubmatch(source, -1) {
			found++
			if name := string(append(m[1], m[2]...)); !bytes.Contains(text, fmt.Appendf(nil, `"name":%q`, name)) {
				t.Errorf("%s reads the parameter %q, which is not described in admin/openapi", file, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d uses of a query were found: this test looks for the wrong thing", found)
	}
}

// TestOpenAPI_answersAreAsDescribed holds real answers against the schemas, where what is not described is a fault too.
func TestOpenAPI_answersAreAsDescribed(t *testing.T) {
	f := newFake()
	f.put("a/b.jpg", "image/jpeg", "bytes", 256)
	f.put("c", "text/plain", "bytes")
	f.failures = []asset.Failure{{ID: "f1", Key: "a.jpg", Hotfolder: "inbox", Reason: "it is empty"}}
	f.story = []asset.Event{{Hotfolder: "inbox", Key: "a", Result: asset.Imported, Hash: asset.Hash{1}}}
	s := clustered(t, f, nil)
	for _, c := range []struct{ method, target, path, status string }{
		{"GET", "/v1/assets", "/v1/assets", "200"},
		{"GET", "/v1/assets?delimiter=/&limit=1", "/v1/assets", "200"},
		{"GET", "/v1/assets?limit=0", "/v1/assets", "default"},
		{"GET", "/v1/assets/c?versions&limit=1", "/v1/assets/{name}", "200"},
		{"GET", "/v1/assets/a/b.jpg/metadata?all", "/v1/assets/{name}", "200"},
		{"GET", "/v1/assets/none", "/v1/assets/{name}", "default"},
		{"GET", "/v1/content/x", "/v1/content/{sha256}", "default"},
		{"GET", "/v1/node", "/v1/node", "200"},
		{"GET", "/v1/hotfolders", "/v1/hotfolders", "200"},
		{"POST", "/v1/hotfolders/inbox/scan", "/v1/hotfolders/{hotfolder}/scan", "202"},
		{"POST", "/v1/hotfolders/inbox/pause", "/v1/hotfolders/{hotfolder}/pause", "200"},
		{"POST", "/v1/hotfolders/inbox/resume", "/v1/hotfolders/{hotfolder}/resume", "200"},
		{"GET", "/v1/failed", "/v1/failed", "200"},
		{"POST", "/v1/failed/f1/retry", "/v1/failed/{id}/retry", "200"},
		{"GET", "/v1/why?path=a&hotfolder=inbox", "/v1/why", "200"},
		{"GET", "/v1/cluster", "/v1/cluster", "200"},
		{"GET", "/v1/cluster/node-b", "/v1/cluster/{node}", "200"},
		{"POST", "/v1/cache/clear", "/v1/cache/clear", "200"},
		{"GET", "/v1/openapi.json", "/v1/openapi.json", "200"},
	} {
		w := request(t, s, c.method, c.target)
		if c.status != "default" && fmt.Sprint(w.Code) != c.status || c.status == "default" && w.Code < 400 {
			t.Errorf("%s %s: want %s, got %d: %s", c.method, c.target, c.status, w.Code, w.Body)
			continue
		}
		if err := document(t).Check(c.method, c.path, c.status, w.Body.Bytes()); err != nil {
			t.Errorf("%s %s is not as admin/openapi has it: %v\n%s", c.method, c.target, err, w.Body)
		}
	}
}
