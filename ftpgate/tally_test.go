package ftpgate

import "testing"

// What a user uploaded elsewhere that day counts, what it was on another day does not.
func TestPaces_countAtAllGates(t *testing.T) {
	p, other := newPaces(), newPaces()
	if !other.of("cam", "in").spend(60, 100) {
		t.Fatal("want the first 60 taken")
	}
	p.hear("b", other.tally())
	p.hear("c", map[string]Spent{"cam": {Day: today() - 1, Bytes: 1000}})
	if got := p.elsewhere("cam"); got != 60 {
		t.Errorf("want 60 bytes elsewhere, got %d", got)
	}
	p.restore(map[string]Spent{"cam": {Day: today(), Bytes: 7}})
	if got := p.tally()["cam"].Bytes; got != 7 {
		t.Errorf("want 7 bytes restored, got %d", got)
	}
}
