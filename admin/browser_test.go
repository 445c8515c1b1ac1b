package admin

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// browser is a real one without a window, and what it complained about.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

type css = chromedp.CSS

// newBrowser starts Chromium; a machine without it fails the test.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("force-color-profile", "srgb"))
	allocator, endAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, end := chromedp.NewContext(allocator)
	b := &browser{ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	var listening sync.WaitGroup
	t.Cleanup(func() { end(); endAllocator(); listening.Wait() })
	messages, dialogs := chromedp.Console(ctx), chromedp.Events(ctx, page.JavascriptDialogOpening)
	listening.Go(func() {
		for m, err := range messages {
			if err == nil && (m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException) {
				b.note("the console says: " + m.Text)
			}
		}
	})
	listening.Go(func() {
		for d, err := range dialogs {
			if err == nil {
				b.note("a dialog says: " + d.Message)
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
			}
		}
	})
	return b
}

// note keeps what a good page never causes: a refusal by the policy, a fault of the script, a dialog that a name has opened.
func (b *browser) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

const patience = 2 * time.Minute // the machine may be busy

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	tell(t, b, chromedp.Steps(steps...))
}

// tell runs one action and gives its value.
func tell[T any](t *testing.T, b *browser, a chromedp.Action[T]) T {
	t.Helper()
	ctx, end := context.WithTimeout(b.ctx, patience)
	defer end()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func eval[T any](t *testing.T, b *browser, script string, o ...chromedp.EvaluateOption) T {
	t.Helper()
	return tell(t, b, chromedp.Evaluate[T](script, o...))
}

// call sends a command of the protocol.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) R {
	t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// quiet fails the test with what was complained of since it was asked last.
func (b *browser) quiet(t *testing.T, where string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("%s: %s", where, c)
	}
	b.complaints = nil
}

// look opens a page in a window of a size, in light or dark.
func (b *browser) look(t *testing.T, address string, width int64, scheme string) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(width, 900))
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	b.do(t, chromedp.Navigate(address), chromedp.WaitReady(css("body")))
	b.settle(t)
}

// settle waits until the pictures are there, those below the edge too, which are fetched late.
func (b *browser) settle(t *testing.T) {
	t.Helper()
	eval[bool](t, b, `for (const i of document.images) i.loading = "eager"; Promise.all([...document.images].map(i => i.decode().catch(() => {}))).then(() => true)`, chromedp.EvalAwaitPromise)
}

// site is a node with something on each page, and all names as the caller wants them.
func site(t *testing.T, rename func(string) string) (*fake, string) {
	t.Helper()
	f := newFake()
	f.node.Started = time.Now().Add(-50 * time.Hour)
	now := time.Now()
	names := []string{"products/chair-oak.jpg", "products/table-round.jpg", "scans/letter 1912.png", "shoot/harbour at dawn.jpg", "shoot/harbour at noon.jpg", "press/portrait.tif", "press/statement.pdf", "shoot/gulls.jpg"}
	var all []Asset
	for i, n := range names {
		name := asset.Key(rename(n))
		h := f.put(string(name), "image/jpeg", string(picture(i)), 256, 1024)
		for _, size := range []int{256, 1024} {
			f.bytes[fmt.Sprintf("%s-%d-jpeg", h, size)] = picture(i)
		}
		rec := f.names[name]
		rec.Key, rec.Door, rec.Node, rec.Committed = name, asset.DoorFTP, "node-a", now.Add(-time.Duration(i*37)*time.Second)
		rec.Content.Meta = map[string]string{"Make": rename("NIKON"), "FNumber": "2.8", "DateTimeOriginal": "2026:11:01 07:12:44", "Copyright": rename("M. Example")}
		rec.Thumbnails.Width, rec.Thumbnails.Height = 6048, 4024
		if strings.HasSuffix(n, ".pdf") {
			rec.Content.Type, rec.Thumbnails = "application/pdf", nil
		}
		f.names[name] = rec
		all = append(all, Asset{Name: name, Number: 1 + i%3, Record: rec})
		f.feed.Publish(asset.Event{
			Time: rec.Committed, Hotfolder: "inbox", Key: name, Name: name, Result: asset.Imported, Hash: h, Number: 1 + i%3, Size: rec.Content.Size * 900, Type: rec.Content.Type,
			Settled: rename("proven: JPEG with its end"), Took: 42 * time.Millisecond, Thumbs: rec.Thumbnails, Node: "node-a",
		})
	}
	f.story = []asset.Event{
		{Time: now.Add(-time.Minute), Hotfolder: "inbox", Key: "x", Result: asset.AtDoor, Door: asset.DoorFTP, Node: "node-b", Reason: rename("ftp upload by \"cam\" from 10.0.0.9")},
		{Time: now, Hotfolder: "inbox", Key: "x", Name: all[0].Name, Number: 1, Result: asset.Imported, Node: "node-a", Took: 42 * time.Millisecond, Settled: "proven: JPEG with its end"},
	}
	f.folders = []Folder{
		{
			Name: rename("inbox"), Path: "hotfolders/inbox", State: "importing", Level: OK, Watching: "events", DropHere: rename("/srv/hf/hotfolders/inbox"), Waiting: 14, Settling: 3, InFlight: 8,
			Imported: 12406, Failed: 2, Ignored: 31, OldestWaiting: 4 * time.Second, Rate: 21.4, LastScan: now.Add(-12 * time.Second), ScanTook: 180 * time.Millisecond, Rule: "inbox.yaml",
		},
		{
			Name: "scans", Path: "hotfolders/scans", State: "paused", Level: Warn, Reason: rename("paused by ann: the scanner is being repaired"), Watching: "polling every 2s", DropHere: "/srv/hf/hotfolders/scans",
			Imported: 311, LastScan: now.Add(-2 * time.Second), ScanTook: 20 * time.Millisecond, Rule: "scans.yaml", Paused: true,
		},
	}
	f.failures = []asset.Failure{
		{ID: "f1", Time: now.Add(-3 * time.Minute), Key: asset.Key(rename("shoot/IMG_4711.jpg")), Hotfolder: f.folders[0].Name, Reason: rename("The picture ends in the middle: its end is missing."), Hint: "Copy it again; the sender may have stopped.", Attempts: 5, Step: "settle", Node: "node-b", Size: 4_300_000, Stored: "failed/inbox/shoot/IMG_4711.jpg", Detail: rename("jpeg: no EOI at 4300000")},
		{ID: "f2", Time: now.Add(-2 * time.Hour), Key: "empty.png", Hotfolder: f.folders[0].Name, Reason: "The file is empty.", Attempts: 1, Step: "stage", Node: "node-a", Stored: "failed/inbox/empty.png"},
	}
	s := clustered(t, f, nil, func(b *Backend) {
		b.ListAssets = func(_ context.Context, q AssetQuery) (AssetPage, error) {
			p := AssetPage{Folders: []asset.Key{asset.Key(rename("archive") + "/"), "products/"}, Next: "on"}
			for _, a := range all {
				if q.Match == nil || q.Match(a.Name) {
					p.Assets = append(p.Assets, a)
				}
			}
			return p, nil
		}
		b.Versions = func(_ context.Context, name asset.Key, _, _ int) ([]Asset, int, error) {
			rec := f.names[name]
			return []Asset{{name, 3, rec}, {name, 2, rec}, {name, 1, rec}}, 0, nil
		}
		b.RemoveAsset = func(_ context.Context, name asset.Key) error { f.call("remove %s", name); return nil }
		b.Drain = func(time.Duration) { f.call("drain") }
		b.Drops = f.drops()
		b.Jobs = &Jobs{End: func(_ context.Context, id string) error { f.call("end %s", id); return nil }, All: func(context.Context) iter.Seq2[Job, error] {
			return seq([]Job{
				{ID: "j7k2m9q4", Owner: rename("render farm"), Quota: 50e9, Used: 12.4e9, Created: now.Add(-2 * time.Hour), Expires: now.Add(40 * time.Minute), TTL: config.Duration(time.Hour), Folder: rename("/srv/hf/workarea/jobs/j7k2m9q4")},
				{ID: "a3f8z1x6", Owner: "ann", Quota: 1e9, Used: 970e6, Created: now.Add(-9 * time.Minute), Expires: now.Add(51 * time.Minute), TTL: config.Duration(time.Hour), Folder: "/srv/hf/workarea/jobs/a3f8z1x6"},
			})
		}}
	})
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return f, srv.URL
}

// picture is a photograph, as far as a few lines can make one.
func picture(n int) []byte {
	const w, h = 480, 320
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	sky := []color.RGBA{{242, 166, 108, 255}, {120, 170, 210, 255}, {200, 205, 190, 255}, {235, 190, 170, 255}}[n%4]
	for y := range h {
		for x := range w {
			wave := 190 + 26*math.Sin(float64(x)/(41+float64(n*9)))*math.Cos(float64(x)/113+float64(n))
			f := 0.75 + 0.25*float64(y)/h
			c := color.RGBA{uint8(float64(sky.R) * f), uint8(float64(sky.G) * f), uint8(float64(sky.B) * f), 255}
			if float64(y) > wave {
				c = color.RGBA{uint8(40 + n*7), uint8(70 + y/9), uint8(80 + n*3), 255}
			}
			if math.Hypot(float64(x)-330+float64(n*20), float64(y)-90) < 28 {
				c = color.RGBA{255, 240, 205, 255}
			}
			m.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, m, &jpeg.Options{Quality: 60}) // to memory
	return out.Bytes()
}

// sitePages are all pages, by the name of their screenshot.
var sitePages = []struct{ name, path string }{
	{"now", "/"},
	{"hotfolder", "/hotfolders/inbox"},
	{"failed", "/failed"},
	{"assets", "/assets"},
	{"asset", "/assets/shoot/harbour%20at%20dawn.jpg"},
	{"jobs", "/jobs"},
	{"why", "/why?hotfolder=inbox&path=products/chair-oak.jpg"},
	{"cluster", "/cluster"},
	{"node", "/cluster/node-a"},
	{"other-node", "/cluster/node-b"},
}

//go:embed testdata/look.js
var lookJS string

// faults are what is wrong with the page for people: see testdata/look.js.
func (b *browser) faults(t *testing.T) []string {
	t.Helper()
	return eval[[]string](t, b, lookJS)
}

// Each page in light and dark, on a desk and on a phone, can be used by everybody: whoever reads it, hears it or has no mouse.
func TestBrowser_eachPageIsFitForPeople(t *testing.T) {
	b := newBrowser(t)
	_, at := site(t, func(s string) string { return s })
	for _, p := range sitePages {
		for _, width := range []int64{1180, 390} {
			for _, scheme := range []string{"light", "dark"} {
				where := fmt.Sprintf("%s, %d wide, %s", p.name, width, scheme)
				b.look(t, at+p.path, width, scheme)
				for _, fault := range b.faults(t) {
					t.Errorf("%s: %s", where, fault)
				}
				b.quiet(t, where)
				b.shoot(t, p.name, width, scheme)
			}
		}
	}
}

// What went wrong is a page too, and says it in a sentence.
func TestBrowser_faultsAreSentences(t *testing.T) {
	b := newBrowser(t)
	_, at := site(t, func(s string) string { return s })
	for path, want := range map[string]string{
		"/nowhere":                              "There is nothing at /nowhere.",
		"/cluster/nobody":                       "",
		"/assets/none.jpg":                      "There is no asset",
		"/why?hotfolder=none&path=x":            "",
		"/why?path=" + strings.Repeat("W", 300): "",
	} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(t, at+path, 390, scheme)
			for _, fault := range b.faults(t) {
				t.Errorf("%s, %s: %s", path, scheme, fault)
			}
			if said := eval[string](t, b, `document.querySelector("[role=alert]")?.textContent ?? ""`); said == "" || !strings.HasPrefix(said, want) {
				t.Errorf("%s: want %q, got %q", path, want, said)
			}
		}
	}
}

// What the look finds: each line of the page has one fault, which it must tell.
func TestBrowser_theLookSeesEachFault(t *testing.T) {
	b := newBrowser(t)
	faults := map[string]string{
		`<h1>a</h1>`:                                     "2 headings of the first level",
		`<h3>a</h3>`:                                     "skips a level",
		`<button></button>`:                              "no name",
		`<input>`:                                        "no name",
		`<section>a</section>`:                           "a section without a name",
		`<nav>a</nav>`:                                   "a nav without a name",
		`<img src="/page/icon.svg">`:                     "a picture without alt",
		`<img alt="" src="/nothing.png">`:                "did not load",
		`<p id="main">a</p>`:                             "an id that is there twice",
		`<p onclick="x">a</p>`:                           "an attribute that runs",
		`<a href="//evil.example">a</a>`:                 "it leads elsewhere",
		`<a href="#nowhere">a</a>`:                       "a link that leads nowhere",
		`<p style="color: #999; background: #fff">a</p>`: "a contrast of 2.85",
		`<p style="width: 3000px">a</p>`:                 "wide in a window of 390",
		`<p style="font-size: 8px">a</p>`:                "letters of 8 pixels",
		`<p role="alert">no file was chosen.</p>`:        "not told in a sentence",
		`<div class="table" style="overflow-x: auto"><p style="width: 900px">a</p></div>`: "a table that is 900 wide",
		`<script>1</script>`:                                 "it does not belong here",
		`<table><tr><td>a</td></tr></table>`:                 "a table without headings",
		`<button style="height: 9px; padding: 0">a</button>`: "a target of",
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>x</title><body><header class="top">x</header><main id="main"><h1>x</h1>%s</main><footer>x</footer></body></html>`, r.URL.Query().Get("with"))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	for with, want := range faults {
		b.look(t, srv.URL+"/?with="+url.QueryEscape(with), 390, "light")
		if got := b.faults(t); !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("%s: want %q, got %q", with, want, got)
		}
	}
	b.look(t, srv.URL+"/", 390, "light")
	if got := b.faults(t); len(got) != 0 {
		t.Errorf("want nothing wrong with the page without faults, got %q", got)
	}
}

const maxShot = 60_000 // bytes

// shoot keeps a screenshot for the documents, when it is asked to by the environment; else it looks whether the one that is kept is
// small.
func (b *browser) shoot(t *testing.T, name string, width int64, scheme string) {
	t.Helper()
	kind := map[bool]string{width < 500: "-phone", scheme == "dark": "-dark"}[true]
	if kind != "" && (name != "now" && name != "jobs" || name == "jobs" && kind == "-dark" || kind == "-phone" && scheme == "dark") {
		return
	}
	file := filepath.Join("..", "docs", "pages", name+kind+".jpg")
	if os.Getenv("SCREENSHOTS") == "" {
		if info, err := os.Stat(file); err != nil || info.Size() > maxShot {
			t.Errorf("want a screenshot of at most %d bytes; SCREENSHOTS=1 makes it: %v", maxShot, err)
		}
		return
	}
	var shot []byte
	for _, quality := range []int64{80, 60, 40, 25} {
		shot = call(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality}).Data
		if len(shot) < maxShot {
			break
		}
	}
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Names that would like to be more are shown, and do nothing.
func TestBrowser_hostileNamesAreHarmless(t *testing.T) {
	b := newBrowser(t)
	for _, name := range append([]string{strings.Repeat("W", 200)}, hostile...) {
		if _, err := asset.ParseKey("a" + name); err != nil || strings.Contains(name, "\n") || strings.Contains(name, "\xff") {
			continue // no asset is called so; see TestPage_hostileNamesStayNames
		}
		_, base := site(t, func(s string) string { return s + name })
		for path, link := range map[string]string{"/": `.grid .name a`, "/assets": `.folders a`, "/failed": "", "/jobs": "", "/hotfolders/" + url.PathEscape("inbox"+name): ""} {
			where := fmt.Sprintf("%s with %q", path, name)
			b.look(t, base+path, 390, "light")
			for _, fault := range b.faults(t) {
				t.Errorf("%s: %s", where, fault)
			}
			if link != "" {
				b.look(t, eval[string](t, b, "document.querySelector("+strconv.Quote(link)+").href"), 390, "light")
				for _, fault := range b.faults(t) {
					t.Errorf("behind %s: %s", where, fault)
				}
			}
			b.quiet(t, where)
		}
	}
}

// Without scripts everything can be read, and the buttons are forms that lead back to their page.
func TestBrowser_withoutScripts(t *testing.T) {
	b := newBrowser(t)
	f, at := site(t, func(s string) string { return s })
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	for _, row := range []struct{ path, button, call string }{
		{"/", `form[action="/v1/hotfolders/inbox/pause"] button`, "pause inbox true"},
		{"/hotfolders/scans", `form[action="/v1/hotfolders/scans/resume"] button`, "pause scans false"},
		{"/hotfolders/inbox", `form[action="/v1/hotfolders/inbox/scan"] button`, "scan inbox"},
		{"/failed", `form[action="/v1/failed/f2/retry"] button`, "retry f2"},
		{"/failed", `form[action="/v1/failed/retry"] button`, "retry f2"},
		{"/cluster/node-a", `form[action="/v1/cache/clear"] button`, "clear"},
		{"/jobs", `#j-j7k2m9q4 form button`, "end j7k2m9q4"},
	} {
		f.mu.Lock()
		f.calls = nil
		f.mu.Unlock()
		b.do(t, chromedp.Navigate(at+row.path), chromedp.WaitReady(css("h1")))
		eval[bool](t, b, `for (const d of document.querySelectorAll("details")) d.open = true; true`)
		b.do(t, chromedp.Click(css(row.button)))
		eventually(t, row.call, func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.calls) > 0 && f.calls[len(f.calls)-1] == row.call
		})
		eventually(t, "to be back at "+row.path, func() bool { return tell(t, b, chromedp.Location()) == at+row.path })
		eventually(t, "something to read there", func() bool {
			h1, err := chromedp.Run(b.ctx, chromedp.Text(css("h1")))
			return err == nil && h1 != "" // between two pages the first one's heading is gone
		})
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Errorf("want %s", what)
}

// By the keyboard alone: the first stop skips to the content, every stop can be seen, and the last thing of the page is reached.
func TestBrowser_keyboard(t *testing.T) {
	b := newBrowser(t)
	_, at := site(t, func(s string) string { return s })
	for _, p := range sitePages {
		b.look(t, at+p.path, 1180, "light")
		b.do(t, chromedp.KeyEvent("\t"))
		if first := eval[string](t, b, `document.activeElement.className`); first != "skip" {
			t.Errorf("%s: want the first stop to skip to the content, got %q", p.name, first)
		}
		wanted := eval[int](t, b, `[...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary, [tabindex="0"]')].filter(e => e.tabIndex >= 0 && e.checkVisibility()).length`)
		for stop := 2; stop <= wanted; stop++ {
			b.do(t, chromedp.KeyEvent("\t"))
			if where := eval[string](t, b, focusSeen); where != "" {
				t.Errorf("%s: stop %d of %d cannot be seen: %s", p.name, stop, wanted, where)
			}
		}
		b.look(t, at+p.path, 1180, "light")
		b.do(t, chromedp.KeyEvent("\t\r"))
		if !eval[bool](t, b, `document.activeElement.id === "main"`) {
			t.Errorf("%s: the skip link leads nowhere", p.name)
		}
	}
}

// focusSeen is empty when the focus can be seen.
const focusSeen = `(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
	return e !== document.body && r.width > 0 && r.top < innerHeight && r.bottom > 0 && s.outlineStyle !== "none" ? "" : e.outerHTML.slice(0, 100); })()`

// A login leads in, holds at another node, and what a viewer may not do is not shown.
func TestBrowser_login(t *testing.T) {
	b := newBrowser(t)
	users := somePeople(t)
	start := func(id string) string {
		f := newFake()
		f.node.ID = id
		srv := httptest.NewServer(newServer(t, f, Options{Token: testToken, Users: users}).Handler())
		t.Cleanup(srv.Close)
		t.Cleanup(srv.CloseClientConnections)
		return srv.URL
	}
	one, two := start("node-a"), start("node-b")
	b.look(t, one+"/", 390, "light")
	for _, fault := range b.faults(t) {
		t.Errorf("login: %s", fault)
	}
	b.do(
		t, chromedp.SendKeys(css("#name"), "vera"), chromedp.SendKeys(css("#token"), tokenOf("vera")+"\r"), chromedp.WaitVisible(css("#hotfolders")),
		chromedp.Navigate(two+"/failed"), chromedp.WaitReady(css("h1")),
	)
	if h1, who := tell(t, b, chromedp.Text(css("h1"))), tell(t, b, chromedp.Text(css(".out"))); h1 != "Failed drops" || !strings.Contains(who, "vera, viewer") {
		t.Errorf("want vera known at the other node, got %q, %q", h1, who)
	}
	b.do(t, chromedp.Navigate(two+"/"), chromedp.WaitReady(css("h1")))
	if buttons := eval[int](t, b, `document.querySelectorAll("main form[method=post]").length`); buttons != 0 {
		t.Errorf("want no button that a viewer may not press, got %d", buttons)
	}
	b.do(t, chromedp.Click(css(".leave button")), chromedp.WaitVisible(css("#token")))
	if cookies := call(t, b, network.GetCookies, network.GetCookiesParams{}).Cookies; len(cookies) != 0 {
		t.Errorf("want no cookie after logging out, got %v", cookies)
	}
}

// A new import comes into the page by itself, and is told to who cannot see it.
func TestBrowser_live(t *testing.T) {
	b := newBrowser(t)
	f, at := site(t, func(s string) string { return s })
	b.look(t, at+"/", 1180, "light")
	b.do(t, chromedp.WaitVisible(css("#live")), chromedp.Focus(css("#path")), chromedp.SendKeys(css("#path"), "half typed"))
	f.feed.Publish(asset.Event{Time: time.Now(), Hotfolder: "inbox", Key: "late.jpg", Name: "late.jpg", Result: asset.Imported, Hash: asset.Hash{9}, Number: 1})
	eventually(t, "the new import in the page, and told", func() bool {
		return strings.Contains(eval[string](t, b, `document.getElementById("said").textContent`), "late.jpg")
	})
	typed := tell(t, b, chromedp.Value(css("#path")))
	if focused := eval[bool](t, b, `document.activeElement.id === "path"`); !focused || typed != "half typed" {
		t.Errorf("want what is typed and the focus left alone, got %q, %v", typed, focused)
	}
}
