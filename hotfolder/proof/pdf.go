package proof

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
)

// walkPDF wants %%EOF and its line end as the last bytes, a startxref before it that leads to a cross-reference table or
// stream, and, when the file is linearized, the length that its head announces: such a file has an %%EOF near its front.
func walkPDF(ctx context.Context, s *source) (string, error) {
	b, err := s.bytes(ctx, max(0, s.size-1024), int(min(s.size, 1024)))
	if err != nil {
		return "", err
	}
	i := bytes.LastIndex(b, []byte("%%EOF"))
	if i < 0 {
		return "", fault("has no %%EOF in its last 1,024 bytes")
	}
	eof, after := s.size-int64(len(b)-i), string(b[i+5:])
	at, ok := number(b[:i], "startxref")
	switch {
	case after == "" || after == "\r":
		return "", doubt("ends with %%EOF but without a line end, which may still come")
	case after != "\n" && after != "\r\n":
		return "", tail(ctx, s, "%%EOF", eof+5)
	case !ok || at <= 0 || at >= eof:
		return "", fault("has no startxref that leads into it")
	}
	if err := linearized(ctx, s); err != nil {
		return "", err
	}
	if err := xref(ctx, s, at); err != nil {
		return "", err
	}
	return fmt.Sprintf("ends with %%%%EOF at byte %d, its table at byte %d", eof, at), written(ctx, s, span{0, s.size})
}

// linearized compares the length that the head of a linearized file gives. A longer file has been updated since.
func linearized(ctx context.Context, s *source) error {
	b, err := s.bytes(ctx, 0, int(min(s.size, 1024)))
	if err != nil {
		return err
	}
	_, dict, ok := bytes.Cut(b, []byte("/Linearized"))
	if !ok {
		return nil
	}
	dict, _, _ = bytes.Cut(dict, []byte(">>"))
	n, ok := number(dict, "/L")
	switch {
	case !ok:
		return doubt("is linearized without a length")
	case n > s.size:
		return faultf("ends at byte %d, its head says %d", s.size, n)
	}
	return nil
}

// xref checks that a cross-reference table, or the object of a cross-reference stream, begins at at.
func xref(ctx context.Context, s *source, at int64) error {
	b, err := s.bytes(ctx, at, int(min(s.size-at, 1024)))
	if err != nil {
		return err
	}
	b = bytes.TrimLeft(b, " \t\r\n\x00\f")
	head, _, stream := bytes.Cut(b, []byte("obj"))
	if bytes.HasPrefix(b, []byte("xref")) {
		return nil
	}
	if !stream || len(bytes.Trim(head, "0123456789 \t\r\n")) > 0 || !bytes.Contains(b, []byte("XRef")) {
		return faultf("has no cross-reference table at byte %d", at)
	}
	return nil
}

// number is the number behind the last key of b that is a whole word.
func number(b []byte, key string) (int64, bool) {
	for {
		i := bytes.LastIndex(b, []byte(key))
		if i < 0 {
			return 0, false
		}
		rest := b[i+len(key):]
		digits := bytes.TrimLeft(rest, " \t\r\n")
		end := 0
		for end < len(digits) && end < 19 && digits[end] >= '0' && digits[end] <= '9' {
			end++
		}
		if n, err := strconv.ParseInt(string(digits[:end]), 10, 64); err == nil {
			return n, true
		}
		b = b[:i]
	}
}
