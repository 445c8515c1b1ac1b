package proof

import (
	"context"
	"fmt"
)

// walkGIF goes through all blocks to the trailer. Every 256 bytes there is a length, so that unwritten space breaks the
// chain wherever it is.
func walkGIF(ctx context.Context, s *source) (string, error) {
	s.readWhole()
	head, err := s.bytes(ctx, 0, 13)
	if err != nil {
		return "", err
	}
	at := 13 + colors(head[10])
	for images := 0; ; {
		b, err := s.bytes(ctx, at, 1)
		if err != nil {
			return "", err
		}
		switch b[0] {
		case 0x21:
			at, err = blocks(ctx, s, at+2)
		case 0x2c:
			images++
			at, err = gifImage(ctx, s, at)
		case 0x3b:
			if images == 0 {
				return "", faultf("ends at byte %d without a picture", at)
			}
			return fmt.Sprintf("ends with its trailer at byte %d", at), tail(ctx, s, "trailer", at+1)
		default:
			return "", faultf("has no block at byte %d", at)
		}
		if err != nil {
			return "", err
		}
	}
}

func gifImage(ctx context.Context, s *source, at int64) (int64, error) {
	b, err := s.bytes(ctx, at, 10)
	if err != nil {
		return 0, err
	}
	return blocks(ctx, s, at+10+colors(b[9])+1)
}

// blocks passes over the data blocks at at and the empty one that ends them.
func blocks(ctx context.Context, s *source, at int64) (int64, error) {
	for {
		b, err := s.bytes(ctx, at, 1)
		if err != nil {
			return 0, err
		}
		at += 1 + int64(b[0])
		if b[0] == 0 {
			return at, nil
		}
	}
}

// colors is how many bytes the color table takes that the flags announce.
func colors(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}
