package asset_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
)

var when = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)

// roundTrip writes v as JSON, reads it again, and wants the same value on one line.
func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b, "\n\r") {
		t.Errorf("want one line, got %q", b)
	}
	var got T
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if !reflect.DeepEqual(v, got) {
		t.Errorf("want %+v\ngot  %+v\nby %s", v, got, b)
	}
}

func TestRecord_survivesJSONWithEveryName(t *testing.T) {
	h := asset.Hash(sha256.Sum256([]byte("x")))
	for _, key := range hostile {
		d := asset.Drop{Hotfolder: "inbox", Key: key, Version: "a.b"}
		roundTrip(t, asset.Record{
			Drop: d.ID(), Hotfolder: "inbox", Key: key, Version: d.Version, Door: asset.DoorFTP, Arrived: when, Name: key,
			Conflict: asset.ConflictRename, Library: true, Node: "n", Token: "1.2", Committed: when.Add(time.Nanosecond),
			Content:    asset.Content{Hash: h, Size: 1 << 60, Type: "image/jpeg", Meta: map[string]string{"a\nb": "\u202e<&>"}},
			Thumbnails: &asset.Thumbnails{Sizes: []int{256, 1024}, Format: "jpeg", Width: 1, Height: 2, Error: "no"},
		})
		roundTrip(t, asset.Outcome{Name: key, Number: 3, Skipped: true, Rejected: "because"})
	}
	roundTrip(t, asset.Record{})
}

func TestEvent_survivesJSONWithEveryName(t *testing.T) {
	for _, key := range hostile {
		roundTrip(t, asset.Event{
			Time: when, Node: "n", Hotfolder: "inbox", Key: key, Version: "v", Drop: asset.Drop{Key: key}.ID(), Door: asset.DoorShare,
			Result: asset.Imported, Step: "apply", Settled: "proven", Reason: key.Quoted(), Name: key, Number: 2,
			Hash: sha256.Sum256([]byte("x")), Size: 5, Type: "t", Thumbs: &asset.Thumbnails{Error: "e"}, Attempt: 1, Token: "1.1",
			Took: time.Second, Steps: []asset.StepTime{{Step: "settle", Took: 1}, {Step: "stage", Took: 2}},
		})
	}
	roundTrip(t, asset.Event{Key: "k", Result: asset.Ignored})
}

func TestEvent_leavesOutTheHashThatIsNotKnown(t *testing.T) {
	b, err := json.Marshal(asset.Event{Key: "k"})
	if err != nil || bytes.Contains(b, []byte("sha256")) {
		t.Errorf("want no hash, got %s, %v", b, err)
	}
}

func TestFailure_survivesJSONWithEveryName(t *testing.T) {
	for _, key := range hostile {
		roundTrip(t, asset.Failure{
			ID: "id", Time: when, Node: "n", Hotfolder: "inbox", Key: key, Stored: key, Drop: asset.Drop{Key: key}.ID(),
			Version: "v", Size: 1, Step: "stage", Rule: "r.yaml: name", Attempts: 5, Reason: "r", Hint: "h", Detail: "d\n\x00",
		})
	}
}

func TestKey_isCheckedWhenADocumentIsRead(t *testing.T) {
	for _, doc := range []string{
		`"../etc/passwd"`, `"/etc/passwd"`, `"a//b"`, `"a\u0000"`, `"base64:Li4vYQ=="`, `"base64:L2V0Yw=="`, `"base64:***"`, `"base64:YQA="`,
	} {
		key := asset.Key("before")
		if err := json.Unmarshal([]byte(doc), &key); !errors.Is(err, asset.ErrKey) {
			t.Errorf("%s: want ErrKey, got %q, %v", doc, key, err)
		}
	}
	var root asset.Key
	if err := json.Unmarshal([]byte(`""`), &root); err != nil || root != asset.Root {
		t.Errorf("want the root, got %q, %v", root, err)
	}
}

func TestHash_readsItsOwnDigitsAndNoOthers(t *testing.T) {
	h := asset.Hash(sha256.Sum256([]byte("bytes")))
	for _, s := range []string{h.String(), strings.ToUpper(h.String())} {
		if got, err := asset.ParseHash(s); err != nil || got != h {
			t.Errorf("%s: want %s, got %s, %v", s, h, got, err)
		}
	}
	for _, s := range []string{"", "ab", h.String()[1:], h.String() + "00", "g" + h.String()[1:], " " + h.String()[1:]} {
		if got, err := asset.ParseHash(s); err == nil || !got.IsZero() {
			t.Errorf("%q: want it refused, got %s", s, got)
		}
	}
}

func TestHash_zeroIsEmptyInText(t *testing.T) {
	roundTrip(t, struct{ Hash asset.Hash }{})
	roundTrip(t, struct{ Hash asset.Hash }{sha256.Sum256(nil)})
	if b, err := (asset.Hash{}).MarshalText(); err != nil || len(b) != 0 {
		t.Errorf("want no text, got %q, %v", b, err)
	}
	h := asset.Hash{1}
	if err := h.UnmarshalText([]byte("nonsense")); err == nil || !h.IsZero() {
		t.Errorf("want it refused and zero, got %s, %v", h, err)
	}
}
