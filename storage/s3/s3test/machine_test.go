package s3test

import (
	"strings"
	"testing"
)

func TestBinary_thatIsMissingNamesWhatToRun(t *testing.T) {
	if _, err := binary("no-such-server"); err == nil || !strings.Contains(err.Error(), "make tools") {
		t.Errorf("want an error that names make tools, got %v", err)
	}
}
