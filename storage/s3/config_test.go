package s3_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

func TestOpen_saysWhatIsWrongWithTheURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                                    "want s3://bucket",
		"file:///srv":                         "want s3://bucket",
		"s3://":                               "want s3://bucket",
		"s3://key:hush@bucket":                "credentials file",
		"s3://bucket:9000/x":                  "a bucket has no port",
		"s3://bucket/a//b":                    "empty part",
		"s3://bucket/../b":                    `a part ".."`,
		"s3://bucket?endpint=http://h":        `unknown parameter "endpint"`,
		"s3://bucket?endpoint=h:9000":         "endpoint",
		"s3://bucket?endpoint=ftp://h":        "https:// or http://",
		"s3://bucket?endpoint=http://h/path":  "nothing else",
		"s3://bucket?endpoint=http://a:b@h":   "nothing else",
		"s3://bucket?path_style=maybe":        "true or false",
		"s3://bucket?secret_key=hush":         "unknown parameter",
		"s3://bucket/%01?endpoint=http://h:1": "control character",
	} {
		_, err := s3.Open(t.Context(), s3.Config{URL: url})
		switch {
		case err == nil:
			t.Errorf("%s: opened", url)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%s: want an error with %q, got %v", url, want, err)
		case strings.Contains(err.Error(), "hush"):
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}

const hush = "hush-this-is-the-secret"

// Nothing that is printed of a configuration, a store or an error holds a secret.
func TestSecrets_areNeverPrinted(t *testing.T) {
	t.Parallel()
	s := shared(t, "minio")
	core, logs := observer.New(zap.DebugLevel)
	c := config(t, s, s.Bucket(t), "pre")
	c.Log = zap.New(core)
	st := opened(t, c)
	var texts []string
	show := func(v ...any) {
		for _, v := range v {
			texts = append(texts, fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v))
		}
	}
	show(st, struct{ Inner *s3.Store }{st}, st.Properties(), c, &c)
	if _, err := st.Watch(t.Context(), "", storage.WatchOptions{}); err != nil {
		t.Error(err)
	}
	c.CredentialsFile = s3test.CredentialsOf(t, s3test.AccessKey, hush)
	_, err := s3.Open(t.Context(), c)
	if err == nil {
		t.Fatal("opened with a wrong secret")
	}
	show(err)
	c.URL = "s3://user:" + hush + "@bucket?endpoint=http://127.0.0.1:1"
	_, err = s3.Open(t.Context(), c)
	show(c, err)
	for _, text := range []string{"[default\n" + hush, "[default]\naws_secret_access_key " + hush, hush, "[default]\naws_access_key_id = x\n" + hush} {
		garbage := filepath.Join(t.TempDir(), "credentials")
		must(t, os.WriteFile(garbage, []byte(text), 0o600))
		c.URL, c.CredentialsFile = s.URL("bucket", ""), garbage
		_, err = s3.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "aws_access_key_id") {
			t.Errorf("a credentials file that is none: %v", err)
		}
		show(err)
	}
	for _, l := range logs.All() {
		show(l.Message, l.ContextMap())
	}
	for _, text := range texts {
		for _, secret := range []string{hush, s3test.SecretKey, "X-Amz-Signature"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
	}
}

// A node goes on when its credentials are replaced: those that it has are refused, and the file has others by now.
func TestCredentials_fileIsReadAgain(t *testing.T) {
	t.Parallel()
	s := shared(t, "versitygw")
	c := config(t, s, s.Bucket(t), "pre")
	c.CredentialsFile = s3test.CredentialsOf(t, s3test.AccessKey, "outdated")
	if _, err := s3.Open(t.Context(), c); err == nil {
		t.Fatal("opened with a wrong secret")
	}
	good, err := os.ReadFile(s3test.Credentials(t))
	must(t, err)
	must(t, os.WriteFile(c.CredentialsFile, good, 0o600))
	st := opened(t, c)
	bad, err := os.ReadFile(s3test.CredentialsOf(t, s3test.AccessKey, "revoked"))
	must(t, err)
	must(t, os.WriteFile(c.CredentialsFile, bad, 0o600))
	s3.LookNow(st)
	if _, err := put(t.Context(), st, "k", "x", ifAbsent); err == nil {
		t.Error("the new file was not read")
	}
	must(t, os.Remove(c.CredentialsFile))
	s3.LookNow(st)
	if _, err := put(t.Context(), st, "k", "x", ifAbsent); err == nil || strings.Contains(err.Error(), "no such file") {
		t.Errorf("without the file what it said last holds, got %v", err)
	}
}

func TestOpen_trustsTheAuthorityItIsGiven(t *testing.T) {
	t.Parallel()
	s := s3test.MinIOWithTLS(t)
	c := config(t, s, s.VersionedBucket(t), "pre")
	c.AcceptRisk = false
	st := opened(t, c)
	if _, err := put(t.Context(), st, "k", "x", ifAbsent); err != nil || storagetest.Content(t, st, "k") != "x" {
		t.Error(err)
	}
	c.CA = ""
	if _, err := s3.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the authority: %v", err)
	}
	c.CA = c.CredentialsFile
	if _, err := s3.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("a file without certificates: %v", err)
	}
}

func TestReadOnly_writesNothing(t *testing.T) {
	t.Parallel()
	s := shared(t, "versitygw")
	bucket := s.Bucket(t)
	raw(t, s, bucket, "pre/k")
	p := s3test.NewProxy(t, s)
	c := config(t, s, bucket, "")
	c.URL, c.ReadOnly = p.URL(bucket, "pre"), true
	st := opened(t, c)
	obj, err := st.Stat(t.Context(), "k")
	must(t, err)
	if storagetest.Content(t, st, "k") != "pre/k" {
		t.Error("it cannot be read")
	}
	for name, call := range map[string]func() error{
		"put":    func() error { _, err := put(t.Context(), st, "x", "x", storage.PutOptions{}); return err },
		"stage":  func() error { _, err := st.Stage(t.Context()); return err },
		"copy":   func() error { _, err := st.Copy(t.Context(), obj, "x", storage.PutOptions{}); return err },
		"move":   func() error { _, err := st.Move(t.Context(), obj, "x", ifAbsent); return err },
		"remove": func() error { return st.Remove(t.Context(), "k", "") },
		"mkdir":  func() error { return st.MakeFolder(t.Context(), "f") },
		"tidy":   func() error { _, err := st.Tidy(t.Context(), 0); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "reading only") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := p.Count("PUT") + p.Count("POST") + p.Count("DELETE"); n != 0 {
		t.Errorf("%d requests would have written", n)
	}
}
