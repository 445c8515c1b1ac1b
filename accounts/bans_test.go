package accounts

import (
	"fmt"
	"strconv"
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
		if got := Slow(count); got != want {
			t.Errorf("%d: want %s, got %s", count, want, got)
		}
	}
}

// Guesses at several gates count together; a ban at one holds at all, and a restart forgives nothing.
func TestBans_countAtAllGates(t *testing.T) {
	const who = "10.0.0.9"
	a, b := NewBans(), NewBans()
	for range banAfter - 1 {
		a.Failed(who)
	}
	b.Hear("a", a.Tally())
	if left := b.Banned(who); left != 0 {
		t.Fatalf("want no ban yet, got %s", left)
	}
	if n := b.Failed(who); n != banAfter || b.Banned(who) == 0 {
		t.Errorf("want a ban by the last one, wherever it came, got %d, %s", n, b.Banned(who))
	}
	a.Hear("b", b.Tally())
	if a.Banned(who) == 0 {
		t.Error("want the ban at the other gate, too")
	}
	again := NewBans()
	again.Restore(b.Tally())
	if again.Banned(who) == 0 {
		t.Error("want the ban after a restart, too")
	}
}

// What is told is bounded, and the worst are told first.
func TestBans_tellFew(t *testing.T) {
	b := NewBans()
	for i := range mostNetworks + 50 {
		b.Failed("10.1." + strconv.Itoa(i/250) + "." + strconv.Itoa(i%250))
	}
	b.Failed("10.1.0.7")
	if told := b.Tally(); len(told) != mostNetworks || told[0].Network != "10.1.0.7" || told[0].Wrong != 2 {
		t.Errorf("want %d, 10.1.0.7 first, got %d, %+v", mostNetworks, len(told), told[0])
	}
}
