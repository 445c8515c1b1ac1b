package ftpgate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *session) cmdNoop(string) { s.reply(200, "yes") }

func (s *session) cmdSyst(string) { s.reply(215, "UNIX Type: L8") }

func (s *session) cmdHelp(string) {
	verbs := slices.Sorted(maps.Keys(s.g.table))
	var lines []string
	for part := range slices.Chunk(verbs, 10) {
		lines = append(lines, strings.Join(part, " "))
	}
	s.replyLines(214, "the commands are", lines, "End")
}

func (s *session) cmdFeat(string) {
	lines := []string{"UTF8", "SIZE", "MDTM", "REST STREAM", "TVFS", "EPSV", "EPRT", "MLST " + s.factFeature()}
	if s.keepsTimes() {
		lines = append(lines, "MFMT")
	}
	if s.g.secure != nil {
		lines = append(lines, "AUTH TLS", "PBSZ", "PROT")
	}
	s.replyLines(211, "beyond the first standard", lines, "End")
}

// factFeature lists the facts of MLST, those in use with a star.
func (s *session) factFeature() string {
	var b strings.Builder
	for _, f := range factNames {
		b.WriteString(f)
		if slices.Contains(s.facts, f) {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

func (s *session) cmdOpts(param string) {
	name, rest, _ := strings.Cut(param, " ")
	switch {
	case strings.EqualFold(name, "UTF8"), strings.EqualFold(name, "UTF-8"):
		s.reply(200, "names are UTF-8 as they come")
	case strings.EqualFold(name, "MLST"):
		s.setFacts(rest)
	default:
		s.reply(501, "there is no such option")
	}
}

// setFacts chooses the facts of MLST; those that are not known are left out, as the standard wants.
func (s *session) setFacts(list string) {
	s.facts = nil
	for f := range strings.SplitSeq(strings.ToLower(list), ";") {
		if slices.Contains(factNames[:], f) && !slices.Contains(s.facts, f) {
			s.facts = append(s.facts, f)
		}
	}
	text := "MLST OPTS"
	if len(s.facts) > 0 {
		text += " " + strings.Join(s.facts, ";") + ";"
	}
	s.reply(200, "%s", text)
}

// cmdType takes what clients say and changes nothing: a byte of a file is never another.
func (s *session) cmdType(param string) {
	kind, form, _ := strings.Cut(strings.ToUpper(param), " ")
	switch {
	case kind == "I", kind == "L" && form == "8":
		s.ascii = false
		s.reply(200, "as it is")
	case kind == "A" && (form == "" || form == "N"):
		s.ascii = true
		s.reply(200, "as it is, too: bytes are never changed here")
	default:
		s.reply(504, "only TYPE I and TYPE A are known here")
	}
}

func (s *session) cmdMode(param string) { s.only("MODE", param, "S") }

func (s *session) cmdStru(param string) { s.only("STRU", param, "F") }

func (s *session) only(verb, param, value string) {
	if !strings.EqualFold(param, value) {
		s.reply(504, "only %s %s is known here", verb, value)
		return
	}
	s.reply(200, "yes")
}

// cmdStat tells of the session; transfers answer it themselves.
func (s *session) cmdStat(param string) {
	if param != "" {
		s.reply(504, "STAT takes no path here; use MLST or LIST")
		return
	}
	s.replyLines(211, "this session", []string{
		"user: " + s.account().Name,
		"from: " + s.client.String(),
		"since: " + s.since.UTC().Format(time.RFC3339),
		"folder: " + s.cwd,
		fmt.Sprintf("encrypted: commands %t, data %t", s.c.encrypted(), s.private),
	}, "End")
}

// cmdAllo notes how long the next upload will be. One that is shorter was cut.
func (s *session) cmdAllo(param string) {
	size, record, _ := strings.Cut(param, " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 || record != "" && !strings.HasPrefix(strings.ToUpper(record), "R ") {
		s.reply(501, "expected a number of bytes")
		return
	}
	s.declared = n
	s.reply(200, "noted")
}

// cmdRest notes where the next transfer begins.
func (s *session) cmdRest(param string) {
	n, err := strconv.ParseInt(param, 10, 64)
	if err != nil || n < 0 {
		s.reply(501, "expected an offset in bytes")
		return
	}
	s.restart = n
	s.reply(350, "the next transfer begins at %d", n)
}
