package s3

import (
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// secrets finds the credentials that a configuration names.
func secrets(c Config) *credentials.Credentials {
	if c.CredentialsFile != "" {
		return credentials.New(&secretFile{path: c.CredentialsFile, profile: c.Profile})
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.EnvMinio{},
		&credentials.FileAWSCredentials{Profile: c.Profile},
		&credentials.IAM{Client: &http.Client{Timeout: dialTime}},
	})
}

// lookEvery is how often a credentials file is looked at for a change.
const lookEvery = 10 * time.Second

// secretFile is a credentials file that is read again when it changes, so that secrets can be replaced under a running node.
type secretFile struct {
	path, profile string

	mu     sync.Mutex
	from   credentials.FileAWSCredentials
	read   os.FileInfo // of what was read last
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
	f.read, f.looked = info, time.Now()
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
	if f.read == nil || f.from.IsExpired() {
		return true
	}
	if time.Since(f.looked) < lookEvery {
		return false
	}
	f.looked = time.Now()
	info, err := os.Stat(f.path)
	return err == nil && (info.ModTime() != f.read.ModTime() || info.Size() != f.read.Size() || !os.SameFile(info, f.read))
}
