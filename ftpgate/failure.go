package ftpgate

import (
	"errors"
	"fmt"
	"io/fs"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// answer is an error that is told to the client as it is.
type answer struct {
	code int
	text string
}

func (a *answer) Error() string { return a.text }

func answerf(code int, format string, args ...any) error {
	return &answer{code, fmt.Sprintf(format, args...)}
}

// errTakenOver: the client came back before the gate noticed that it was gone.
var errTakenOver = errors.New("another session of yours goes on with it")

// answers are what clients are told for errors that callers decide by.
var answers = []struct {
	err  error
	code int
	text string // empty: the error's own
}{
	{errAborted, 426, ""},
	{errGone, 426, ""},
	{errReset, 426, ""},
	{errDraining, 426, ""},
	{errEnded, 426, ""},
	{errTakenOver, 426, ""},
	{errStalled, 426, ""},
	{errCutShort, 426, ""},
	{errCut, 426, ""},
	{errNoConnection, 425, "no data connection came"},
	{errNoData, 425, ""},
	{errNotSafe, 522, ""},
	{errNoPort, 425, ""},
	{asset.ErrNotNow, 450, "not now; try again later"},
	{storage.ErrSilent, 450, "the store does not answer; try again later"},
	{storage.ErrIdentity, 450, "the store is away; try again later"},
	{storage.ErrFull, 452, "the disk is full"},
	{storage.ErrChanged, 450, "it was changed meanwhile"},
	{storage.ErrNotRegular, 550, "it is not a plain file"},
	{asset.ErrKey, 553, "that is not a usable name"},
	{fs.ErrExist, 550, "it exists already"},
	{fs.ErrNotExist, 550, "it is not there"},
	{fs.ErrPermission, 550, "the store does not allow it"},
}

// answerTo is what a client is told of an error. Only faults of the store are worth a line in the log.
func answerTo(err error) (code int, text string, fault bool) {
	var a *answer
	if errors.As(err, &a) {
		return a.code, a.text, false
	}
	for _, known := range answers {
		if !errors.Is(err, known.err) {
			continue
		}
		if known.text != "" {
			return known.code, known.text, known.code == 452
		}
		return known.code, known.err.Error(), false
	}
	return 451, "the store failed; see the log of the node", true
}

// fail tells the client why a command was not done.
func (s *session) fail(what string, err error) {
	code, text, fault := answerTo(err)
	if fault {
		s.log.Error("command failed", zap.String("command", what), zap.Error(err))
	}
	s.reply(code, "%s", text)
}
