package ftpgate

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestParseLine(t *testing.T) {
	for raw, want := range map[string]line{
		"NOOP\r\n":                    {verb: "NOOP"},
		"noop\n":                      {verb: "NOOP"},
		"NoOp":                        {verb: "NOOP"},
		"STOR a b.jpg\r\n":            {verb: "STOR", param: "a b.jpg"},
		"STOR  two spaces \r\n":       {verb: "STOR", param: " two spaces "},
		"STOR \xff.jpg\r\n":           {verb: "STOR", param: "\xff.jpg"},
		"STOR \xff\xff.jpg\r\n":       {verb: "STOR", param: "\xff.jpg"},
		"STOR x\xff\r\n":              {verb: "STOR", param: "x\xff"},
		"\xff\xf4\xff\xf2ABOR\r\n":    {verb: "ABOR"},
		"\xf2ABOR\r\n":                {fault: "the line does not begin with a command"},
		"STOR ../../etc/passwd\r\n":   {verb: "STOR", param: "../../etc/passwd"},
		"STOR a\x00b\r\n":             {fault: "the line holds a NUL byte"},
		"\r\n":                        {fault: "the line is empty"},
		"":                            {fault: "the line is empty"},
		" NOOP\r\n":                   {fault: "the line is empty"},
		"GET / HTTP/1.1\r\n":          {verb: "GET", param: "/ HTTP/1.1"},
		"\x16\x03\x01\x02":            {fault: "the line does not begin with a command"},
		"VERYLONGVERB x\r\n":          {fault: "the line does not begin with a command"},
		"ST\tOR x\r\n":                {fault: "the line does not begin with a command"},
		"STOR a\rb\r\n":               {verb: "STOR", param: "a\rb"},
		"USER x\r\nDELE everything\n": {verb: "USER", param: "x\r\nDELE everything"}, // readLine never gives two
	} {
		if got := parseLine([]byte(raw)); got != want {
			t.Errorf("%q: want %+v, got %+v", raw, want, got)
		}
	}
}

func TestReadLine_holdsNoMoreThanALine(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	r := bufio.NewReader(strings.NewReader("NOOP\r\nSTOR " + long + "\r\nQUIT\nhalf a li"))
	for _, want := range []line{{verb: "NOOP"}, {fault: "the line is too long"}, {verb: "QUIT"}} {
		if got, err := readLine(r); err != nil || got != want {
			t.Errorf("want %+v, got %+v, %v", want, got, err)
		}
	}
	if got, err := readLine(r); !errors.Is(err, io.EOF) {
		t.Errorf("want half a line to be none, got %+v, %v", got, err)
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, strings.Repeat("x", len(p))), nil
}

func TestReadLine_givesUpOnAnEndlessLine(t *testing.T) {
	src := &endless{}
	if _, err := readLine(bufio.NewReader(src)); !errors.Is(err, errGarbage) {
		t.Errorf("want errGarbage, got %v", err)
	}
	if src.read > 2*maxGarbage {
		t.Errorf("want at most %d bytes read, got %d", 2*maxGarbage, src.read)
	}
}

func FuzzReadLine(f *testing.F) {
	for _, s := range []string{"NOOP\r\n", "STOR a b\r\nQUIT\n", "\xff\xf4\xff\xf2ABOR\r\n", "\r\n\r\n", "a\x00\n", strings.Repeat("y", 9000) + "\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReaderSize(strings.NewReader(string(data)), 64)
		for range len(data) + 1 {
			l, err := readLine(r)
			if err != nil {
				return
			}
			good := l.verb != "" && l.fault == "" && isLetters(l.verb) && l.verb == strings.ToUpper(l.verb)
			if !good && (l.fault == "" || l.verb != "" || l.param != "") {
				t.Fatalf("want a command or a fault, got %+v", l)
			}
			if strings.ContainsAny(l.param, "\x00\n") || len(l.param) > maxLine {
				t.Fatalf("want one bounded line, got %q", l.param)
			}
		}
		t.Fatal("want an end")
	})
}
