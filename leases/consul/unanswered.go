package consul

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// unanswered are the tries of one request that no address answered, one each. It is one line for people.
type unanswered []attempt

// attempt is one try at one address.
type attempt struct {
	address string
	err     error
}

func (u unanswered) Error() string {
	texts := make([]string, 0, len(u))
	for _, a := range u {
		texts = append(texts, a.address+": "+a.reason())
	}
	return strings.Join(texts, "; ")
}

// Unwrap leaves out a deadline: that was the try's own, and whoever looks for one means his.
func (u unanswered) Unwrap() []error {
	var errs []error
	for _, a := range u {
		if !a.late() {
			errs = append(errs, a.err)
		}
	}
	return errs
}

func (a attempt) late() bool { return errors.Is(a.err, context.DeadlineExceeded) }

func (a attempt) reason() string {
	if a.late() {
		return "no answer in time"
	}
	return strings.Join(strings.Fields(a.err.Error()), " ")
}

// Distrusted reports whether the error says of every address that one side does not accept the other's certificate, or does not
// speak TLS at all: waiting mends neither.
func Distrusted(err error) bool {
	var tries unanswered
	return errors.As(err, &tries) && !slices.ContainsFunc(tries, func(a attempt) bool { return !a.distrusted() })
}

func (a attempt) distrusted() bool {
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.As(a.err, &verification), errors.As(a.err, &header), errors.Is(a.err, http.ErrSchemeMismatch):
		return true
	}
	return errors.As(a.err, &remote) && remote.Op == remoteError
}

// remoteError is the operation in the error for an alert that the other side of a TLS connection sent.
const remoteError = "remote error"
