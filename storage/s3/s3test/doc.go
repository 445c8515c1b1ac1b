// Package s3test runs real S3 servers for tests, each at a loopback address of its own: MinIO, and versitygw, which keeps objects
// as plain files. The binaries are bin/minio and bin/versitygw, which make tools builds; a test without them fails and says so.
//
// A server is ready in about a second, keeps its objects over [Server.Kill] and [Server.Restart], and ends with the test and
// with its process however that ends. [NewProxy] stands between a store and a server and loses, cuts and delays what passes.
// It is for tests.
package s3test
