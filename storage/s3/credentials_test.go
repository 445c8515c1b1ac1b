package s3_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
)

// nothingSet takes all credentials out of the environment, and has the machine's role asked for at an address.
func nothingSet(t *testing.T, role string) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "MINIO_ROOT_USER",
		"MINIO_ROOT_PASSWORD", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_REGION",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role)
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return "http://" + l.Addr().String() + "/role"
}

// silent is one at which somebody listens and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String() + "/role"
}

// giving is one that gives credentials for an hour.
func giving(t *testing.T, secret string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Expiration":%q}`,
			s3test.AccessKey, secret, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Where no file is set, the first of the usual places that has credentials gives them. Each one here is wrong but the one that counts.
func TestCredentials_ofTheUsualChain(t *testing.T) {
	server := shared(t, "versitygw")
	url := server.URL(server.Bucket(t), "")
	aws := func(secret string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
		}
	}
	minio := func(secret string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Setenv("MINIO_ROOT_USER", s3test.AccessKey)
			t.Setenv("MINIO_ROOT_PASSWORD", secret)
		}
	}
	home := func(secret string) func(t *testing.T) {
		return func(t *testing.T) {
			text, err := os.ReadFile(s3test.CredentialsOf(t, s3test.AccessKey, secret))
			must(t, err)
			dir := filepath.Join(os.Getenv("HOME"), ".aws")
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.WriteFile(filepath.Join(dir, "credentials"), text, 0o600))
		}
	}
	role := func(secret string) func(t *testing.T) {
		return func(t *testing.T) { t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", giving(t, secret)) }
	}
	good := s3test.SecretKey
	for name, places := range map[string][]func(t *testing.T){
		"AWS_ACCESS_KEY_ID": {aws(good), minio("x"), home("x"), role("x")}, "MINIO_ROOT_USER": {minio(good), home("x"), role("x")},
		"home": {home(good), role("x")}, "role": {role(good)},
	} {
		t.Run(name, func(t *testing.T) {
			nothingSet(t, refusing(t))
			for _, set := range places {
				set(t)
			}
			st := opened(t, s3.Config{URL: url, AcceptRisk: true})
			if _, err := put(t.Context(), st, "k", "x", ifAbsent); err != nil && !strings.Contains(err.Error(), "exist") {
				t.Error(err)
			}
			wrong := s3.Config{URL: url, AcceptRisk: true, CredentialsFile: s3test.CredentialsOf(t, s3test.AccessKey, "x")}
			if _, err := s3.Open(t.Context(), wrong); err == nil {
				t.Error("want a file that is set taken before all of them")
			}
		})
	}
}

// With no credentials anywhere it is said what to set, soon enough, whatever the machine's service of roles does.
func TestCredentials_nobodyHasAny(t *testing.T) {
	server := shared(t, "versitygw")
	url := server.URL(server.Bucket(t), "")
	for name, role := range map[string]string{"refused": refusing(t), "absent": silent(t), "not of this machine": "http://192.0.2.1/role"} {
		t.Run(name, func(t *testing.T) {
			nothingSet(t, role)
			begin := time.Now()
			_, err := s3.Open(t.Context(), s3.Config{URL: url, AcceptRisk: true})
			if err == nil || !strings.Contains(err.Error(), "storage.credentials_file") || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
				t.Errorf("want it said what to set, got %v", err)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
	nothingSet(t, silent(t))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := s3.Open(ctx, s3.Config{URL: url}); err == nil || time.Since(begin) > 5*time.Second {
		t.Errorf("want it to end with its context, got %v after %v", err, time.Since(begin))
	}
}
