package hotfolder

import (
	"fmt"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
)

func TestOutage_onePoisonedDropIsNoOutage(t *testing.T) {
	var o outage
	for range 100 * outageFrom {
		o.failure("poison.jpg", false, "bad", at(60))
	}
	if o.on() || o.limit(7, noon) != 7 {
		t.Errorf("want work as usual, got %v, %d", o.on(), o.limit(7, noon))
	}
}

func TestOutage_manyDropsInARowAre(t *testing.T) {
	var o outage
	for i := range outageFrom {
		if o.on() {
			t.Fatalf("want no outage after %d failures, got one", i)
		}
		o.failure(asset.Key(fmt.Sprint(i)), false, "the last reason", at(60))
	}
	if !o.on() || o.reason != "the last reason" {
		t.Fatalf("want an outage with its reason, got %v %q", o.on(), o.reason)
	}
	for when, want := range map[time.Time]int{noon: 0, at(59.9): 0, at(60): 1, at(99): 1} {
		if got := o.limit(7, when); got != want {
			t.Errorf("%s: want %d in hand, got %d", when.Format(time.TimeOnly), want, got)
		}
	}
}

func TestOutage_theStoresOwnWordIsEnough(t *testing.T) {
	var o outage
	o.failure("a", true, "full", at(1))
	o.failure("a", false, "again", at(1))
	if !o.on() || o.limit(7, noon) != 0 {
		t.Errorf("want an outage after one failure, got %v, %d", o.on(), o.limit(7, noon))
	}
}

func TestOutage_oneSuccessEndsIt(t *testing.T) {
	var o outage
	for i := range outageFrom - 1 {
		o.failure(asset.Key(fmt.Sprint(i)), false, "bad", at(60))
	}
	o.success()
	o.failure("last", false, "bad", at(60))
	if o.on() {
		t.Error("want failures counted anew after a success, got an outage")
	}
	o.failure("full", true, "full", at(60))
	o.success()
	if o.on() || o.reason != "" || o.limit(7, noon) != 7 {
		t.Errorf("want nothing left of it, got %+v", o)
	}
}

func TestOutage_remembersNoMoreThanItNeeds(t *testing.T) {
	var o outage
	for i := range 10_000 {
		o.failure(asset.Key(fmt.Sprint(i)), false, "bad", at(60))
	}
	if len(o.failed) > outageFrom {
		t.Errorf("want at most %d names, got %d", outageFrom, len(o.failed))
	}
}

func TestBackoff_doublesBetweenHalfAndAllUpToItsBound(t *testing.T) {
	r := config.Retry{Backoff: config.Duration(100 * time.Millisecond), MaxBackoff: config.Duration(time.Second)}
	for attempts, most := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond,
		4: 800 * time.Millisecond, 5: time.Second, 6: time.Second, 1 << 40: time.Second,
	} {
		least, greatest := time.Hour, time.Duration(0)
		for range 2000 {
			d := backoff(r, attempts)
			least, greatest = min(least, d), max(greatest, d)
		}
		if least < most/2 || greatest > most {
			t.Errorf("attempt %d: want %s to %s, got %s to %s", attempts, most/2, most, least, greatest)
		}
		if greatest-least < most/3 {
			t.Errorf("attempt %d: want pauses that differ, got %s to %s", attempts, least, greatest)
		}
	}
}

func TestBackoff_isNeverNothing(t *testing.T) {
	for _, r := range []config.Retry{{}, {Backoff: 1, MaxBackoff: 1}, {Backoff: config.Duration(time.Hour)}} {
		if d := backoff(r, 3); d <= 0 || d > time.Millisecond {
			t.Errorf("%+v: want up to a millisecond, got %s", r, d)
		}
	}
}
