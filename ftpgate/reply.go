package ftpgate

import (
	"fmt"
	"strings"

	"go.uber.org/zap"
)

// reply sends one line. A client that does not read it is gone soon; nobody else needs to know.
func (s *session) reply(code int, format string, args ...any) {
	s.send(fmt.Sprintf("%d %s\r\n", code, printable(fmt.Sprintf(format, args...))))
}

// replyLines sends a reply of several lines. Lines between the first and the last begin with a space.
func (s *session) replyLines(code int, first string, lines []string, last string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%d-%s\r\n", code, printable(first))
	for _, l := range lines {
		fmt.Fprintf(&b, " %s\r\n", printable(l))
	}
	fmt.Fprintf(&b, "%d %s\r\n", code, printable(last))
	s.send(b.String())
}

func (s *session) send(text string) {
	if _, err := s.c.Write([]byte(text)); err != nil {
		s.log.Debug("reply not sent", zap.Error(err))
	}
}

// printable keeps a text on one line: what would end it, or drive a terminal, becomes a question mark. Bytes from 0x80 stay,
// since names may be in any encoding.
func printable(s string) string {
	if !hasControl(s) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = '?'
		}
	}
	return string(b)
}

func hasControl(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// quotedPath is a path as replies to PWD and MKD have it: in double quotes, its own doubled.
func quotedPath(p string) string { return `"` + strings.ReplaceAll(p, `"`, `""`) + `"` }
