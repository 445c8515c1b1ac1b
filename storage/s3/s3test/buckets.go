package s3test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Client is the library's client of this server, for looking behind the back of what is tested. It leaves no connection open
// and repeats nothing.
func (s *Server) Client(t testing.TB) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Endpoint(), &minio.Options{
		Creds: credentials.NewStaticV4(AccessKey, SecretKey, ""), Secure: s.CA != "", Region: "us-east-1", MaxRetries: 1,
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: anyCertificate()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Bucket makes a bucket that keeps no versions. Its name is no other's.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	if err := s.Client(t).MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	return name
}

// VersionedBucket makes a bucket that keeps versions.
func (s *Server) VersionedBucket(t testing.TB) string {
	t.Helper()
	name := s.Bucket(t)
	if err := s.Client(t).EnableVersioning(t.Context(), name); err != nil {
		t.Fatalf("keep versions: %v", err)
	}
	return name
}

// URL is the store URL of a prefix in a bucket; an empty prefix is the whole bucket.
func (s *Server) URL(bucket, prefix string) string { return URL(s.Endpoint(), bucket, prefix) }

// URL is the store URL of a prefix in a bucket of a server.
func URL(endpoint, bucket, prefix string) string {
	u := url.URL{Scheme: "s3", Host: bucket, Path: "/" + prefix, RawQuery: url.Values{"endpoint": {endpoint}, "region": {"us-east-1"}}.Encode()}
	return strings.TrimSuffix(u.String(), "/")
}

// Credentials is the path of a new file with the secrets of every server here.
func Credentials(t testing.TB) string {
	t.Helper()
	return CredentialsOf(t, AccessKey, SecretKey)
}

// CredentialsOf is the path of a new file with these secrets.
func CredentialsOf(t testing.TB, accessKey, secretKey string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = " + accessKey + "\naws_secret_access_key = " + secretKey + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
