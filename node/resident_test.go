package node

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// What the page says of memory is what the system says of the process.
func TestResident_isWhatTheSystemSays(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here")
	}
	got := resident()
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	if want := kib << 10; got < want/2 || got > 2*want { // other tests' leftovers come and go meanwhile
		t.Errorf("want about %d bytes, got %d", want, got)
	}
}

func TestMemoryGoal_isTheLimitThatWasSet(t *testing.T) {
	old := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(old)
	debug.SetMemoryLimit(1<<63 - 1)
	if got := memoryGoal(); got != 0 {
		t.Errorf("want none, got %d", got)
	}
	debug.SetMemoryLimit(3 << 30)
	if got := memoryGoal(); got != 3<<30 {
		t.Errorf("want 3 GiB, got %d", got)
	}
}

// The figures reach the API.
func TestMemory_isShown(t *testing.T) {
	r := dropping(t)
	if m := r.view().Memory; m.Resident < 1<<20 || m.Limit != int64(r.o.Settings.Cache.Memory) {
		t.Errorf("want what the process takes and what it may keep, got %+v", m)
	}
	if _, text := r.send("GET", "/v1/node", nil); !strings.Contains(string(text), `"resident":`) {
		t.Errorf("want it told, got %s", text)
	}
}
