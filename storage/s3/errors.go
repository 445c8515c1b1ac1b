package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Codes of servers.
const (
	codeNoKey        = "NoSuchKey"
	codeNoUpload     = "NoSuchUpload"
	codeNoVersion    = "NoSuchVersion"
	codePrecondition = "PreconditionFailed"
	codeParentIsFile = "ObjectParentIsFile"        // versitygw
	codeIsFolder     = "ExistingObjectIsDirectory" // versitygw, and whenever it could not link a file, for example since the folder just went
)

// serverError is the answer of a server that refused, for people. It shows nothing of the request: a URL may be signed.
type serverError struct{ minio.ErrorResponse }

func (e *serverError) Error() string {
	what := e.Message
	if what == "" {
		what = http.StatusText(e.StatusCode)
	}
	return fmt.Sprintf("the server says %q (%s)", what, e.Code)
}

// answered is the server's own refusal in an error; false when it said nothing.
func answered(err error) (minio.ErrorResponse, bool) {
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		return e, true
	}
	var ours *serverError
	if errors.As(err, &ours) {
		return ours.ErrorResponse, true
	}
	return minio.ErrorResponse{}, false
}

func hasCode(err error, code string) bool {
	e, ok := answered(err)
	return ok && e.Code == code
}

// absent reports whether an answer says that this object is not there. A missing bucket is another matter.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || hasCode(err, codeNoKey) || hasCode(err, "NotFound") || hasCode(err, codeNoVersion)
}

// failed reports whether a condition of the request did not hold.
func failed(err error) bool {
	e, ok := answered(err)
	return ok && (e.Code == codePrecondition || e.StatusCode == http.StatusPreconditionFailed)
}

// fail makes the error of an operation on a key: the sentinel where a caller decides by it, and what was said.
func fail(ctx context.Context, op string, key asset.Key, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, plain(err))
	}
	return fmt.Errorf("%s %s: %w", op, key.Quoted(), meaning(err))
}

// meaning adds the sentinel to what a server said.
func meaning(err error) error {
	e, ok := answered(err)
	err = plain(err)
	switch {
	case !ok:
		return err
	case absent(err):
		return fs.ErrNotExist
	case full(e):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case e.Code == codeParentIsFile:
		return fmt.Errorf("%w: %w", syscall.ENOTDIR, err)
	case e.Code == codeIsFolder:
		return fmt.Errorf("%w: %w", syscall.EISDIR, err)
	}
	return err
}

func full(e minio.ErrorResponse) bool {
	return e.StatusCode == http.StatusInsufficientStorage || strings.Contains(e.Code, "StorageFull") || strings.Contains(e.Code, "QuotaExceeded")
}

// plain takes the URL out of an error of the network, and gives a server's words our form.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	if e, ok := err.(minio.ErrorResponse); ok { //nolint:errorlint // only a bare one is rewritten
		return &serverError{e}
	}
	return err
}

// passing reports whether an error may pass: trying again is right. Of a write that was on its way it says that nobody knows what
// became of it.
func passing(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || decided(err) {
		return false
	}
	if e, ok := answered(err); ok {
		return passingAnswer(e)
	}
	return !certain(err)
}

func passingAnswer(e minio.ErrorResponse) bool {
	switch e.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return e.Code != codeParentIsFile && !full(e)
	}
	switch e.Code {
	case "RequestTimeout", "SlowDown", "InternalError", "Throttling", "IncompleteBody", "BadDigest":
		return true
	}
	return false
}

// decided reports whether an error is our own verdict.
func decided(err error) bool {
	for _, verdict := range []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrClosed, storage.ErrChanged, storage.ErrNotRegular, asset.ErrKey, errReadOnly,
	} {
		if errors.Is(err, verdict) {
			return true
		}
	}
	return false
}

// certain reports whether an error before any answer will not pass by itself: a certificate, a name, our own reader.
func certain(err error) bool {
	var (
		authority *tls.CertificateVerificationError
		unknown   x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		source    *sourceError
		secret    *secretError
	)
	return errors.As(err, &secret) || errors.As(err, &authority) || errors.As(err, &unknown) || errors.As(err, &record) || errors.As(err, &source)
}

// sourceError is what reading our own bytes came to; no server is to blame.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }
