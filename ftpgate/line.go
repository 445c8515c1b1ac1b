package ftpgate

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
)

const (
	maxLine    = 8 << 10  // bytes of a command line; the longest path has 4 KiB
	maxGarbage = 64 << 10 // bytes without an end of line, after which nobody is believed to speak FTP
	maxVerb    = 8
)

// errGarbage ends a connection that does not speak FTP.
var errGarbage = errors.New("the client does not speak FTP")

// line is one command from a client, or why it is none.
type line struct {
	verb  string // upper case letters
	param string // what follows the first space, as it came
	fault string // why the line is no command; then the rest is empty
}

// Telnet's words, as far as clients use them: some send "interrupt process, synch" before ABOR.
const (
	telnetCommand = 0xff // IAC
	telnetSynch   = 0xf2
	telnetStop    = 0xf4
)

// readLine reads up to the next end of line. It never holds more than maxLine bytes.
func readLine(r *bufio.Reader) (line, error) {
	var raw []byte
	skipped := 0
	for {
		part, err := r.ReadSlice('\n')
		if len(raw)+len(part) <= maxLine && skipped == 0 {
			raw = append(raw, part...)
		} else {
			skipped += len(raw) + len(part)
			raw = nil
		}
		switch {
		case skipped > maxGarbage:
			return line{}, errGarbage
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return line{}, err // half a line is no command
		case skipped > 0:
			return line{fault: "the line is too long"}, nil
		}
		return parseLine(raw), nil
	}
}

// parseLine takes one line apart, with or without its end.
func parseLine(raw []byte) line {
	raw = bytes.TrimRight(withoutTelnet(raw), "\r\n")
	verb, param, _ := strings.Cut(string(raw), " ")
	switch {
	case bytes.IndexByte(raw, 0) >= 0:
		return line{fault: "the line holds a NUL byte"}
	case verb == "":
		return line{fault: "the line is empty"}
	case len(verb) > maxVerb || !isLetters(verb):
		return line{fault: "the line does not begin with a command"}
	}
	return line{verb: strings.ToUpper(verb), param: param}
}

func isLetters(s string) bool {
	for _, c := range []byte(s) {
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			return false
		}
	}
	return true
}

// withoutTelnet drops the two commands of telnet that clients send; a doubled 0xff stands for the byte itself. A single 0xff
// before anything else is left alone, since a name in an old encoding may hold it.
func withoutTelnet(raw []byte) []byte {
	if bytes.IndexByte(raw, telnetCommand) < 0 {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != telnetCommand || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		switch raw[i+1] {
		case telnetSynch, telnetStop:
			i++
		case telnetCommand:
			out = append(out, raw[i])
			i++
		default:
			out = append(out, raw[i])
		}
	}
	return out
}
