package admin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// drops take everything but what has "refused" in its name.
func (f *fake) drops() *Drops {
	return &Drops{Put: func(_ context.Context, a Arrival, r io.Reader) (Drop, error) {
		b, err := io.ReadAll(r)
		if err == nil && strings.Contains(string(a.Key), "refused") {
			err = fmt.Errorf("%w: the rule does not take %s", ErrRefused, a.Key.Quoted())
		}
		if err != nil {
			return Drop{}, err
		}
		f.call("drop %s %s: %s", a.Hotfolder, a.Key, b)
		return Drop{Hotfolder: a.Hotfolder, Key: a.Key, Size: int64(len(b)), State: DropStored}, nil
	}}
}

// said are the calls so far, which are forgotten.
func (f *fake) said() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.calls
	f.calls = nil
	return all
}

// filesForm is a form with files, as a browser sends it; each is called as its bytes.
func filesForm(t *testing.T, s *Server, names ...string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	_ = m.WriteField("back", "/")
	for _, n := range names {
		part, err := m.CreateFormFile("file", n)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte("bytes of " + n))
	}
	_ = m.Close()
	r := httptest.NewRequest("POST", "http://localhost/hotfolders/inbox", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestDropForm_eachFileBecomesADrop(t *testing.T) {
	f := newFake()
	b := f.backend()
	b.Drops = f.drops()
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := filesForm(t, s, "a.txt", "…b.txt")
	wantStatus(t, http.StatusSeeOther, w)
	if want, got := []string{"drop inbox a.txt: bytes of a.txt", "drop inbox …b.txt: bytes of …b.txt"}, f.said(); !slices.Equal(want, got) {
		t.Errorf("want %q, got %q", want, got)
	}
	said := w.Result().Cookies()[0]
	page := request(t, s, "GET", w.Header().Get("Location"), header("Accept", "text/html"), header("Cookie", said.Name+"="+said.Value))
	wantText(t, "2 files were dropped.", page)
	if back := page.Result().Cookies(); len(back) != 1 || back[0].Name != said.Name || back[0].Path != said.Path || back[0].MaxAge >= 0 {
		t.Errorf("want the cookie taken back, got %v", back)
	}
	if w := request(t, s, "GET", "/hotfolders/inbox", header("Accept", "text/html"), header("Cookie", said.Name+"=<b>")); strings.Contains(w.Body.String(), `class="banner ok"`) || strings.Contains(w.Body.String(), "<b>") {
		t.Error("want what is no number passed over")
	}

	w = filesForm(t, s, "a.txt", "refused.txt", "c.txt")
	wantStatus(t, http.StatusConflict, w)
	wantText(t, "the rule does not take", w)
	wantText(t, "the 1 before it came whole", w)
	if got := f.said(); len(got) != 1 {
		t.Errorf("want nothing taken after the one that was refused, got %q", got)
	}
	wantStatus(t, http.StatusBadRequest, filesForm(t, s))
	wantStatus(t, http.StatusBadRequest, request(t, s, "POST", "/hotfolders/inbox"))
	wantStatus(t, http.StatusNotFound, request(t, s, "POST", "/hotfolders/none"))
}

// choose puts files into a DataTransfer, in the browser.
const choose = `const d = new DataTransfer(); for (const n of ["a%20<b>.txt", "refused.txt", "…"]) d.items.add(new File(["bytes of " + n], n));`

func TestBrowser_filesThatAreDroppedOntoThePageAreSent(t *testing.T) {
	b := newBrowser(t)
	f, at := site(t, func(s string) string { return s })
	ways := map[string]string{
		"dropped": `document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: d, bubbles: true, cancelable: true }))`,
		"chosen":  `document.getElementById("files").files = d.files; document.querySelector("form[data-drops] button").click()`,
	}
	for way, script := range ways {
		b.look(t, at+"/hotfolders/inbox", 390, "dark")
		b.quiet(t, way)
		f.said()
		eval[bool](t, b, "(() => {"+choose+script+"; return true})()")
		eventually(t, way+": all three have ended", func() bool { return eval[int](t, b, `document.querySelectorAll("#sending li[data-done]").length`) == 3 })
		calls := f.said()
		slices.Sort(calls)
		if want := []string{"drop inbox a%20<b>.txt: bytes of a%20<b>.txt", "drop inbox …: bytes of …"}; !slices.Equal(want, calls) {
			t.Errorf("%s: want %q, got %q", way, want, calls)
		}
		text := eval[string](t, b, `document.getElementById("sending").innerText`)
		for _, want := range []string{"a%20<b>.txt", "dropped", "the rule does not take \"refused.txt\"", "Try again"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: want %q in %q", way, want, text)
			}
		}
		for _, fault := range b.faults(t) {
			t.Errorf("%s: %s", way, fault)
		}
		b.mu.Lock()
		b.complaints = slices.DeleteFunc(b.complaints, func(c string) bool { return strings.Contains(c, "409") }) // the one that was refused
		b.mu.Unlock()
		b.quiet(t, way)
	}
}

func TestBrowser_filesAreSentWithoutScripts(t *testing.T) {
	b := newBrowser(t)
	f, at := site(t, func(s string) string { return s })
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(t, chromedp.Navigate(at+"/hotfolders/inbox"), chromedp.WaitReady(css("h1")))
	f.said()
	eval[bool](t, b, `(() => { const d = new DataTransfer(); d.items.add(new File(["plain"], "plain.txt")); document.getElementById("files").files = d.files; return true })()`)
	b.do(t, chromedp.Click(css("form[data-drops] button")))
	b.do(t, chromedp.WaitReady(css(".banner.ok")))
	says := func() bool {
		return strings.Contains(eval[string](t, b, `document.body.innerText`), "One file was dropped.")
	}
	if !says() {
		t.Error("want it said")
	}
	b.do(t, chromedp.Reload(), chromedp.WaitReady(css("h1")))
	if says() {
		t.Error("want it said once")
	}
	if got := f.said(); !slices.Contains(got, "drop inbox plain.txt: plain") {
		t.Errorf("want it dropped, got %q", got)
	}
}
