package config

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func TestParseSize_readsEveryUnitInAnyCase(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "512": 512, "512B": 512, "100KB": 100_000, "100kb": 100_000, "100KiB": 102_400, "1k": 1000, "1ki": 1024, "1.5GiB": 3 << 29,
		"2 GiB": 2 << 30, "1MB": 1_000_000, "1tib": 1 << 40, "0.001KB": 1, "9223372036854775807": math.MaxInt64, "007": 7,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: want %d, got %d, %v", text, want, got, err)
		}
	}
}

func TestParseSize_refusesWhatItWouldHaveToGuess(t *testing.T) {
	for text, want := range map[string]string{
		"": "is no size", "-1": "is negative", "-1KB": "is negative", "1.5": "no whole number of bytes", "0.0001KB": "no whole number of bytes",
		"9223372036854775808": "more than a file can have", "8388608TiB": "more than a file can have", "1e3": "is no size", "0x10": "is no size",
		"1/2": "is no size", "GiB": "is no size", "1 G i B": "is no size", "1PiB": "is no size", ".5KB": "is no size", "1.KB": "is no size",
		"1.2.3KB": "is no size", "+1": "is no size", "1KBB": "is no size", "1_000": "is no size", strings.Repeat("9", 50): "is no size", "١KB": "is no size",
	} {
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %d, %v", text, want, got, err)
		}
	}
}

func TestParseDuration_refusesNegativeAndBareNumbers(t *testing.T) {
	for _, text := range []string{"", "5", "-1s", "1", "fast", "1d", "9999999h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: want an error, got %s", text, got)
		}
	}
	if got, err := ParseDuration("1h30m"); err != nil || got.D() != 90*time.Minute {
		t.Errorf("want 1h30m, got %s, %v", got, err)
	}
}

func TestUnits_surviveJSON(t *testing.T) {
	same := func(bytes, nanos int64) bool {
		type both struct {
			S Size
			D Duration
		}
		in := both{Size(bytes & math.MaxInt64), Duration(nanos & math.MaxInt64)}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out both
		return json.Unmarshal(text, &out) == nil && in == out
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestNearest_suggestsOnlyWhatIsNear(t *testing.T) {
	known := []string{"include", "exclude", "max_size"}
	for word, want := range map[string]string{
		"max_sise": "max_size", "MaxSize": "max_size", "includes": "include", "exlude": "exclude", "priority": "", "x": "", "": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: want %q, got %q", word, want, got)
		}
	}
}

func TestDefaultID_isAlwaysUsableAndKeepsHostsApart(t *testing.T) {
	for host, want := range map[string]string{"web-1": "web-1", "nas.example.org": "nas.example.org"} {
		if got := DefaultID(host); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
	seen := map[string]string{}
	for _, host := range []string{
		"", ".", "..", "-", "-x", "häuser", "a/b", "a b", "x\n", strings.Repeat("a", 300), "hotfolderd-7f9c8d-abcde", "hotfolderd-7f9c8d-fghij",
		"a-long-name.one.example.org", "a-long-name.two.example.org", "\xff\xfe",
	} {
		id := DefaultID(host)
		if err := settings([]byte(`node: {id: "` + id + `"}`)); err != nil || id == "" {
			t.Errorf("%q: %q is no id: %v", host, id, err)
		}
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %q are both %q", host, other, id)
		}
		seen[id] = host
	}
}
