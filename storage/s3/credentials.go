package s3

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// secrets finds the credentials that a configuration names; file is nil where it names none.
func secrets(c Config) (from *credentials.Credentials, file *secretFile) {
	if c.CredentialsFile != "" {
		file = &secretFile{path: c.CredentialsFile, profile: c.Profile}
		return credentials.New(file), file
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.EnvMinio{},
		&credentials.FileAWSCredentials{Profile: c.Profile},
		&credentials.IAM{Client: &http.Client{Timeout: dialTime}},
	}), nil
}

// errNobody: without credentials every request would be refused, and not say why.
var errNobody = errors.New("no credentials were found: set storage.credentials_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
	"~/.aws/credentials has none either, and this machine has no role that gives any")

// someone looks whether there are credentials at all. Whether this machine has a role is
// known when somebody answers, or nobody for dialTime.
func someone(ctx context.Context, from *credentials.Credentials) error {
	v, err := from.GetWithContext(&credentials.CredContext{Context: ctx})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && v.AccessKeyID == "":
		return errNobody
	}
	return err
}

// lookEvery is how often a credentials file is looked at for a change.
const lookEvery = 10 * time.Second

// secretFile is a credentials file that is read again when it changes, so that secrets can be replaced under a running node.
type secretFile struct {
	path, profile string

	mu     sync.Mutex
	from   credentials.FileAWSCredentials
	ends   bool        // what was read is good for some time only
	read   os.FileInfo // of what was read last; nil: it must be read
	looked time.Time
}

func (f *secretFile) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		return credentials.Value{}, &secretError{err.Error()}
	}
	f.from = credentials.FileAWSCredentials{Filename: f.path, Profile: f.profile}
	v, err := f.from.RetrieveWithCredContext(cc)
	if err != nil || v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return credentials.Value{}, &secretError{strconv.Quote(f.path) + " holds no aws_access_key_id with an aws_secret_access_key for the profile"}
	}
	f.read, f.looked, f.ends = info, time.Now(), !v.Expiration.IsZero()
	return v, nil
}

// secretError says what is wrong with a credentials file. The library's own error may quote a line of it, and is left out.
type secretError struct{ why string }

func (e *secretError) Error() string { return "credentials: " + e.why }

// Retrieve is a part of the library's interface that nothing calls.
func (f *secretFile) Retrieve() (credentials.Value, error) { return f.RetrieveWithCredContext(nil) }

// IsExpired also reports whether the file changed. A file that is gone is no reason to give up what it said.
func (f *secretFile) IsExpired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read != nil && time.Since(f.looked) >= lookEvery {
		f.looked = time.Now()
		if info, err := os.Stat(f.path); err == nil && changed(f.read, info) {
			f.read = nil
		}
	}
	return f.read == nil || f.ends && f.from.IsExpired()
}

func changed(was, is os.FileInfo) bool {
	return is.ModTime() != was.ModTime() || is.Size() != was.Size() || !os.SameFile(is, was)
}
