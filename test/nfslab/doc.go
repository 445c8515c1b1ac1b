// Package nfslab starts a real NFS server and real clients for tests: each is a Linux of its own, as a process (user-mode Linux), in a
// network of their own that this machine can reach. It needs root, and the Debian packages that `make tools` installs; nothing of it
// is left when the test ends.
//
// All guests see this machine's files, read-only, and the lab's folder under its own path, to be written. So programs, settings and
// logs are where they are, on both sides.
package nfslab
