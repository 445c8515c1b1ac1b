package ftpgate

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestBans_comeAfterManyWrongPasswordsAndGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBans()
		fail := func(address string, times int) {
			for range times {
				b.Failed(address)
			}
		}
		fail("10.0.0.1", banAfter-1)
		if got := b.Banned("10.0.0.1"); got != 0 {
			t.Fatalf("want no ban yet, got %s", got)
		}
		time.Sleep(banWindow + time.Second)
		if got := b.Failed("10.0.0.1"); got != 1 {
			t.Fatalf("want the old ones forgotten, got %d", got)
		}
		fail("10.0.0.1", banAfter-1)
		if got := b.Banned("10.0.0.1"); got != banTime {
			t.Fatalf("want %s, got %s", banTime, got)
		}
		if got := b.Banned("10.0.0.2"); got != 0 {
			t.Errorf("want others free, got %s", got)
		}
		time.Sleep(banTime)
		if got := b.Banned("10.0.0.1"); got != 0 {
			t.Errorf("want the ban over, got %s", got)
		}
		fail("10.0.0.1", banAfter)
		if got := b.Banned("10.0.0.1"); got != banTime*3/2 {
			t.Errorf("want %s, got %s", banTime*3/2, got)
		}
	})
}

func TestBans_ofIPv6AreForTheNetwork(t *testing.T) {
	b := NewBans()
	for i := range banAfter {
		b.Failed(fmt.Sprintf("2001:db8::%x", i))
	}
	if b.Banned("2001:db8::ffff") == 0 || b.Banned("2001:db8:0:1::1") != 0 {
		t.Error("want one network banned, and not its neighbor")
	}
}

func TestBans_doNotGrow(t *testing.T) {
	b := NewBans()
	for range banAfter {
		b.Failed("192.0.2.1")
	}
	for i := range 3 * maxCounted {
		b.Failed(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if got := len(b.seen); got > maxCounted {
		t.Errorf("want at most %d addresses, got %d", maxCounted, got)
	}
	if b.Banned("192.0.2.1") == 0 {
		t.Error("want those who are banned to be kept")
	}
}

func TestSlow_growsToItsEnd(t *testing.T) {
	for count, want := range map[int]time.Duration{0: firstSlow, 1: firstSlow, 2: 2 * firstSlow, 3: 4 * firstSlow, 4: lastSlow, 1000: lastSlow} {
		if got := slow(count); got != want {
			t.Errorf("%d: want %s, got %s", count, want, got)
		}
	}
}
