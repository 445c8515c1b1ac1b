package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"hotfolderd/config"
)

// bucket is where the store is in a server that this program starts. All that belongs to it lies beside the file with its secret.
type bucket struct {
	name, prefix string
	home         string // a folder
	secret       string
	server       *process
}

const accessKey = "hotfolderd"

// bucketOf is the bucket of the settings, and a MinIO to hold it. Nothing is made yet.
func bucketOf(file, program string, s config.Settings) (*bucket, error) {
	u, err := url.Parse(s.Storage.URL)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(u.Query().Get("endpoint"))
	if err != nil || at.Scheme != "http" || at.Port() == "" || s.Storage.CredentialsFile == "" {
		return nil, errors.New("want ?endpoint=http://host:port, where a MinIO is started, and a storage.credentials_file")
	}
	secrets := s.Storage.CredentialsFile
	if !filepath.IsAbs(secrets) {
		secrets = filepath.Join(filepath.Dir(file), secrets)
	}
	b := &bucket{name: u.Host, prefix: u.Path, home: filepath.Dir(secrets)}
	b.server = &process{
		name: "MinIO", address: at.Host, answers: "/minio/health/live", path: program,
		args: []string{"server", "--quiet", "--address", at.Host, "--console-address", "127.0.0.1:0", filepath.Join(b.home, "objects")},
	}
	return b, nil
}

// secure makes the secret of the server the first time, and the files by which nodes and curl know it.
func (b *bucket) secure() error {
	file := filepath.Join(b.home, "secret")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(rand.Text())
		if err = os.MkdirAll(b.home, 0o700); err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
	}
	if err != nil {
		return err
	}
	b.secret = string(text)
	b.server.env = []string{
		"MINIO_ROOT_USER=" + accessKey, "MINIO_ROOT_PASSWORD=" + b.secret, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off",
	}
	for name, text := range map[string]string{
		"credentials": "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", "curl": "aws-sigv4 = \"aws:amz:us-east-1:s3\"\nuser = \"%s:%s\"\n",
	} {
		if err := os.WriteFile(filepath.Join(b.home, name), fmt.Appendf(nil, text, accessKey, b.secret), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// make makes the bucket as drops need it: it keeps versions, and lets old ones expire.
func (b *bucket) make(ctx context.Context) error {
	client, err := minio.New(b.server.address, &minio.Options{Creds: credentials.NewStaticV4(accessKey, b.secret, ""), Region: "us-east-1"})
	if err != nil {
		return err
	}
	there, err := client.BucketExists(ctx, b.name)
	if err == nil && !there {
		err = client.MakeBucket(ctx, b.name, minio.MakeBucketOptions{})
	}
	if err == nil {
		err = client.EnableVersioning(ctx, b.name)
	}
	if err == nil {
		err = client.SetBucketLifecycle(ctx, b.name, &lifecycle.Configuration{Rules: []lifecycle.Rule{{
			ID: "old-versions", Status: "Enabled", NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1},
			Expiration: lifecycle.Expiration{DeleteMarker: true},
		}}})
	}
	if err != nil {
		return fmt.Errorf("make the bucket %s: %w", b.name, err)
	}
	return nil
}

// inbox is the URL to which files are put.
func (b *bucket) inbox() string {
	u := url.URL{Scheme: "http", Host: b.server.address, Path: "/" + b.name + b.prefix + "/hotfolders/inbox"}
	return u.String()
}
