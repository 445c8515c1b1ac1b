package httpgate

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// Refusal is an answer that the client can do something about. Its text is one sentence for people.
type Refusal struct {
	Status int // of HTTP
	Reason string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

// HTTPStatus is the status that the answer has.
func (r *Refusal) HTTPStatus() int { return r.Status }

func refuse(status int, format string, args ...any) error {
	return &Refusal{status, fmt.Sprintf(format, args...)}
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func tooLarge(most int64) error {
	return refuse(http.StatusRequestEntityTooLarge, "this hotfolder takes files of at most %d bytes", most)
}
