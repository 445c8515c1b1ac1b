package admin

import (
	"context"
	"errors"
	"html/template"
	"iter"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
)

// hostile are names that would like to be more than names.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `{{.Node}}`, `</title><b>`,
	"a\u202egpj.exe", "line\nend", "tab\tbell\a", "bytes\xff\xfe", "\u2066iso\u2069", "zero\u200bwidth", `back\slash`, strings.Repeat("W", 255),
}

// hostilePage has each hostile name wherever a name can stand.
func hostilePage(t *testing.T, name string) string {
	t.Helper()
	f := newFake()
	f.node.RulesError, f.node.Store, f.node.ID = name, name, name
	f.folders[0].Reason, f.folders[0].DropHere, f.folders[0].Rule, f.folders[0].Level = name, name, name, Bad
	e := asset.Event{
		Hotfolder: "inbox", Key: asset.Key(name), Name: asset.Key(name), Result: asset.Imported, Settled: name, Number: 2, Hash: asset.Hash{1}, Time: time.Now(),
		Thumbs: &asset.Thumbnails{Sizes: []int{256}, Format: name, Error: name}, Took: time.Second,
	}
	f.feed.Publish(e)
	f.story = []asset.Event{e, {Key: asset.Key(name), Result: asset.Failed, Reason: name, Step: name, Node: name}}
	f.failures = []asset.Failure{{ID: name, Hotfolder: name, Key: asset.Key(name), Stored: asset.Key(name), Reason: name, Hint: name, Detail: name, Step: name, Rule: name, Node: name}}
	s := newServer(t, f, Options{})
	html := header("Accept", "text/html")
	return request(t, s, "GET", "/", html).Body.String() + request(t, s, "GET", "/v1/why?hotfolder=inbox&path="+template.URLQueryEscaper(name), html).Body.String()
}

func TestPage_hostileNamesStayNames(t *testing.T) {
	// The markup of a page with harmless names is the measure: hostile ones must add no element and no attribute.
	tags := regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)
	shape := func(page string) []string {
		out := tags.FindAllString(page, -1)
		value := regexp.MustCompile(`"[^"]*"`)
		for i := range out {
			out[i] = value.ReplaceAllString(out[i], `""`)
		}
		return out
	}
	want := shape(hostilePage(t, "harmless"))
	for _, name := range hostile {
		page := hostilePage(t, name)
		got := shape(page)
		if len(got) != len(want) {
			t.Errorf("%q: want %d tags, got %d", name, len(want), len(got))
			continue
		}
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("%q: want tag %s, got %s", name, want[i], got[i])
			}
		}
		// Two attributes keep the very bytes, for the clipboard and for asking again; neither is shown as part of a line.
		page = regexp.MustCompile(`(data-copy|value)="[^"]*"`).ReplaceAllString(page, "")
		for _, bad := range []string{"\u202e", "\u2066", "\u200b", "\a", "\xff", "line\nend", "<script>alert", "onerror=alert(1)>", "ZgotmplZ"} {
			if strings.Contains(page, bad) {
				t.Errorf("%q: the page holds %q", name, bad)
			}
		}
	}
	if page := hostilePage(t, "a\u202eb\nc"); !strings.Contains(page, `<bdi>a\u202eb\nc</bdi>`) {
		t.Error("want what cannot be seen as escapes, isolated")
	}
}

func TestPage_firstMinute(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Key: "bad.jpg", Hotfolder: "inbox", Reason: "The image has no end.", Hint: "Copy it again.", Attempts: 5, Step: "settle"}}
	f.feed.Publish(asset.Event{
		Time: time.Now(), Hotfolder: "inbox", Key: "cat.jpg", Name: "inbox/cat.jpg", Result: asset.Imported, Hash: asset.Hash{9}, Number: 1, Size: 2048,
		Settled: "proven: JPEG with its end", Took: 120 * time.Millisecond, Thumbs: &asset.Thumbnails{Sizes: []int{256, 1024}, Format: "jpeg"},
	})
	f.feed.Publish(asset.Event{Hotfolder: "inbox", Key: "thumbs.db", Result: asset.Ignored})
	w := request(t, newServer(t, f, Options{}), "GET", "/", header("Accept", "text/html"))
	wantStatus(t, 200, w)
	for _, want := range []string{
		"node-a", ">active<", "file:///srv/hf", "Drop files here", "/srv/hf/hotfolders/inbox", ">watching<", "The image has no end.", `href="/failed"`,
		`action="/v1/hotfolders/inbox/scan"`, `action="/v1/hotfolders/inbox/pause"`, `href="/assets/inbox/cat.jpg"`,
		`src="/v1/thumbnails/09`, "/256?format=jpeg", "took 120 ms", "proven: JPEG with its end", "<dt>ignored</dt><dd>3</dd>", "2.05 kB",
	} {
		wantText(t, want, w)
	}
	if strings.Contains(w.Body.String(), "thumbs.db") {
		t.Error("an ignored file stands among the imports")
	}
	if regexp.MustCompile(`(?i)<[^>]* (style|on[a-z]+)=|<script>|<style`).MatchString(w.Body.String()) {
		t.Error("the page has inline style or script, which its own policy refuses")
	}
}

func TestPage_onlyAPictureWithoutThumbnailsIsWorthAWord(t *testing.T) {
	f := newFake()
	for mime, why := range map[string]string{"text/plain": "no preview for text/plain", "image/jpeg": "its end is missing"} {
		e := asset.Event{Hotfolder: "inbox", Key: "x", Name: "x", Result: asset.Imported, Type: mime, Thumbs: &asset.Thumbnails{Error: why}}
		f.feed.Publish(e)
		f.story = append(f.story, e)
	}
	s := newServer(t, f, Options{})
	html := header("Accept", "text/html")
	w := request(t, s, "GET", "/", html)
	wantText(t, `<p class="small note">no thumbnail: <bdi>its end is missing</bdi></p>`, w)
	if strings.Contains(w.Body.String(), "no preview for") {
		t.Error("the page says that a text has no thumbnail")
	}
	wantText(t, `<p class="dim">no thumbnails: <bdi>no preview for text/plain</bdi></p>`, request(t, s, "GET", "/v1/why?hotfolder=inbox&path=x", html))
}

func TestPage_pausedFolderOffersResume(t *testing.T) {
	f := newFake()
	f.folders[0].State, f.folders[0].Paused = "halted", true // one thing is shown; the other is offered
	w := request(t, newServer(t, f, Options{}), "GET", "/")
	wantText(t, `action="/v1/hotfolders/inbox/resume"`, w)
}

func TestPage_failedListIsReadAgainWhenItChanged(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Key: "one"}, {ID: "f2", Key: "two"}}
	s := newServer(t, f, Options{})
	wantText(t, ">two<", request(t, s, "GET", "/"))
	wantStatus(t, 200, request(t, s, "POST", "/v1/failed/f2/retry"))
	if page := request(t, s, "GET", "/").Body.String(); strings.Contains(page, ">two<") || !strings.Contains(page, ">one<") {
		t.Error("want a drop that was put back off the list at once")
	}
	f.failures = []asset.Failure{{ID: "f3", Key: "three"}}
	s.failed.stale()
	wantText(t, ">three<", request(t, s, "GET", "/"))
}

func TestPage_unreadableListSaysSo(t *testing.T) {
	f := newFake()
	b := f.backend()
	b.Failures = func(context.Context) iter.Seq2[asset.Failure, error] {
		return func(yield func(asset.Failure, error) bool) { yield(asset.Failure{}, errors.New("the store is gone")) }
	}
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := request(t, s, "GET", "/")
	wantStatus(t, 200, w)
	wantText(t, "the store is gone", w)
}

func TestForms_faultIsAPageForABrowser(t *testing.T) {
	w := request(t, newServer(t, newFake(), Options{}), "POST", "/v1/failed/gone/retry", header("Accept", "text/html,*/*"))
	wantStatus(t, 404, w)
	wantText(t, "That did not work", w)
	wantText(t, "no failed drop", w)
}

func TestWords_spanAndBytes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", time.Microsecond: "under 1 ms", 120 * time.Millisecond: "120 ms", 1500 * time.Millisecond: "1.5 s", 4 * time.Second: "4 s", 42 * time.Second: "42 s",
		61 * time.Second: "1 min 1 s", 25 * time.Hour: "25 h 0 min", 72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d): want %q, got %q", d, want, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 2048: "2.05 kB", 999_999: "1 MB", 5_300_000: "5.3 MB", 1e15: "1000 TB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("bytesOf(%d): want %q, got %q", n, want, got)
		}
	}
	if got := count(uint64(1234567)); got != "1\u202f234\u202f567" {
		t.Errorf("count: got %q", got)
	}
}
