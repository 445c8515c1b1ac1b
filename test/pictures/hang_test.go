package pictures_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hangs is the limit of time in these tests, and what is said of a picture that goes over it.
const (
	hangs     = "import: { thumbnail_timeout: 5s, thumbnail_workers: 1 }\n"
	hangsSays = "rendering it takes longer than 5s"
)

// TestSafety_aWorkerThatHangs stops the only process that renders: the picture that it has next is imported with its kind in place of a
// thumbnail and says why, another process takes its place, and what comes then is rendered, in the end that picture too.
func TestSafety_aWorkerThatHangs(t *testing.T) {
	n := startNode(t, hangs, "complete: { settle: 200ms, patience: 500ms }\nthumbnails: { sizes: [128] }\n")
	first := n.dropGood(0)
	n.untilThumbnail(first)
	old := n.workers()
	if len(old) != 1 {
		t.Fatalf("want one process that renders, got %v", old)
	}
	check(t, syscall.Kill(old[0], syscall.SIGSTOP))
	stopped := n.dropGood(5)
	within(t, time.Minute, "imported though its renderer hangs", func() bool { return n.left() == 0 })
	within(t, time.Minute, "on the page", func() bool { return n.tile(stopped) != "" })
	n.wantTile(stopped, `<span class="kind">jpg</span>`, "no thumbnail: <bdi>"+hangsSays+"</bdi>")
	n.untilThumbnail(n.dropGood(6))
	if now := n.workers(); len(now) != 1 || now[0] == old[0] {
		t.Errorf("want another process in place of %v, got %v", old, now)
	}
	n.untilThumbnail(stopped)
}

// TestSafety_aProgramThatHangs gives the program of somebody else a page that it would draw for years. It ends with its time, and keeps nothing from
// being rendered.
func TestSafety_aProgramThatHangs(t *testing.T) {
	n := startNode(t, hangs+"thumbnails: { programs: [pdftoppm] }\n", "complete: { settle: 200ms, patience: 500ms }\nthumbnails: { sizes: [128] }\n")
	n.drop("years.pdf", endlessPDF())
	within(t, time.Minute, "drawn by the program", func() bool { return slices.ContainsFunc(n.workers(), isProgram) })
	picture := n.dropGood(7)
	n.untilThumbnail(picture)
	within(t, time.Minute, "imported though its renderer hangs", func() bool { return n.left() == 0 })
	within(t, time.Minute, hangsSays, func() bool {
		_, _, story := n.get("/v1/why?path=inbox/years.pdf")
		return strings.Contains(string(story), hangsSays)
	})
	if status, _, body := n.get("/v1/assets/inbox/years.pdf"); status != 200 || !bytes.Equal(body, endlessPDF()) {
		t.Errorf("want its bytes, got %d", status)
	}
	if slices.ContainsFunc(n.workers(), isProgram) {
		t.Error("the program is still there")
	}
}

func isProgram(pid int) bool {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name)) == "pdftoppm"
}

// endlessPDF is a page with a form that has twenty forms, each of which has twenty, and so on.
func endlessPDF() []byte {
	const depth = 9
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
		"<</Length 5>>stream\n/F Do\nendstream",
	}
	for i := range depth {
		body := strings.Repeat("/F Do ", 20)
		if i == depth-1 {
			body = "0 0 9 9 re f "
		}
		objects = append(objects, fmt.Sprintf("<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</F %d 0 R>>>>/Length %d>>stream\n%s\nendstream", 6+i, len(body), body))
	}
	b := []byte("%PDF-1.4\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return fmt.Appendf(b, "%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, len(b))
}

// dropGood drops a good picture and gives its name.
func (n *node) dropGood(i int) string {
	n.tb.Helper()
	name, data, _ := good(n.tb, i)
	n.drop(name, data)
	return name
}

// untilThumbnail waits for one: on a machine with much to do a picture may go over its time once, and is tried again when it is asked for.
func (n *node) untilThumbnail(name string) {
	n.tb.Helper()
	within(n.tb, time.Minute, "a thumbnail of "+name, func() bool {
		status, _, body := n.get("/v1/assets/inbox/" + url.PathEscape(name) + "/thumbnail?size=128")
		return status == 200 && len(body) > 0
	})
}

// wantTile fails the test unless all that is wanted stands in the tile of a name on the node's page.
func (n *node) wantTile(name string, want ...string) {
	n.tb.Helper()
	tile := n.tile(name)
	for _, w := range want {
		if !strings.Contains(tile, w) {
			n.tb.Errorf("%s: want %s in its tile, got %s", name, w, tile)
		}
	}
}

// tile is what the node's page has about a name; empty before it is there.
func (n *node) tile(name string) string {
	n.tb.Helper()
	_, _, page := n.get("/")
	for tile := range strings.SplitSeq(string(page), "<li ") {
		if strings.Contains(tile, `href="/assets/inbox/`+name) {
			return tile
		}
	}
	return ""
}
