package admin

import "testing"

func TestBestSize(t *testing.T) {
	for _, c := range []struct{ want, best int }{{1, 64}, {64, 64}, {65, 100}, {101, 256}, {256, 256}, {4000, 256}} {
		if got := bestSize(c.want, []int{256, 64}, nil, []int{100}); got != c.best {
			t.Errorf("%d: want %d, got %d", c.want, c.best, got)
		}
	}
	if got := bestSize(64, nil); got != 0 {
		t.Errorf("want none, got %d", got)
	}
}
