package proof

import (
	"context"
	"encoding/binary"
	"fmt"
)

// walkWebP compares the size in the RIFF header with the file and goes by the chunks to its end. That the size stands in
// front proves nothing about what was written since, so it doubts zeros.
func walkWebP(ctx context.Context, s *source) (string, error) {
	head, err := s.bytes(ctx, 0, 12)
	if err != nil {
		return "", err
	}
	end, live := int64(binary.LittleEndian.Uint32(head[4:]))+8, int64(0)
	switch {
	case end > s.size:
		return "", faultf("ends at byte %d, its header says %d", s.size, end)
	case end < s.size:
		return "", doubtf("ends at byte %d, its header says %d", s.size, end)
	}
	picture := false
	for at := int64(12); at < end; {
		if head, err = s.bytes(ctx, at, 8); err != nil {
			return "", err
		}
		switch string(head[:4]) {
		case "VP8 ", "VP8L", "ANMF":
			picture = true
		case "\x00\x00\x00\x00":
			return "", faultf("has no chunk at byte %d", at)
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		live = at + 8 + n
		at = live + n&1
		if at > end {
			return "", faultf("ends inside the chunk at byte %d", live-n-8)
		}
	}
	if !picture {
		return "", fault("has no picture")
	}
	if err := liveEnd(ctx, s, live); err != nil {
		return "", err
	}
	return fmt.Sprintf("is as long as its header says, %d bytes", end), written(ctx, s, span{0, end})
}
