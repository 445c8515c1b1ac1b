// Package s3 is a store in a bucket of an S3 server.
//
// # What it relies on
//
// A create that has one winner, over all nodes, is a single PUT with If-None-Match: *. It carries an id of its writer, and
// is sent once: whenever the answer is anything but a clear yes or no, the object is asked who wrote it. That nothing is
// there after an unclear answer is not final, so the same create is sent again; a late arrival of the first is then known
// as ours. [Open] tries it with rivals and refuses a server that lets two win. What is larger than 64 MiB travels in parts,
// where the server is seen to look at the same condition at their end; else in one PUT of 5 GiB at most.
//
// A removal that never hits a newer object needs a bucket that keeps versions: the one version is deleted by its id, and
// what it replaced before it, so that nothing older comes back. Without versions a removal looks, then deletes under a
// condition where the server knows one; most do not, or look and delete in two steps. [storage.Properties].RemoveRaces says
// so, and [Open] refuses such a bucket for drops unless the risk is accepted. Versioning must stay on: it is looked at when
// a store is opened. Let old versions expire after a day by a rule of the bucket's lifecycle: objects that nodes replace
// leave one each.
//
// What may be repeated (reads, listings, replacing, removing one version, a part of an upload) is sent up to five times,
// with pauses from 50 ms to a second, when the network fails or the server says 408, 409, 429, 500, 502, 503 or 504.
//
// # What an object is
//
// A version is ETag, size and last-modified second; the same bytes written twice in one second have one version. Folders
// are parts of names only; a name that no key can have (an empty part, "..", a slash at its end with bytes) is listed as
// [storage.Misnamed], escaped. Names that a server would list under another name, or not at all, are refused when they are
// written: control characters but tab, LF and CR, what is no UTF-8, more than 1,024 bytes with the prefix. On MinIO an
// object hides those below its name ("a" hides "a/b") from every listing until it is gone; versitygw refuses to have both.
//
// # What it writes
//
// Objects under their names and, below [Private], claims of moves, notes of uploads that are under way, and what Open
// tries. [Store.Tidy] takes away what killed processes left of it. On this machine it spools what is larger than 1 MiB into
// files without a name; of a stream ([Store.Stream]) no more than three parts of 8 MiB.
//
// # What it needs
//
// The rights s3:ListBucket, GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListMultipartUploadParts; where the bucket keeps versions
// also ListBucketVersions and DeleteObjectVersion; for hints MinIO's ListenBucketNotification.
//
// # What it does not promise
//
// What is durable is what the server calls so: neither MinIO, for small objects, nor versitygw flushes before it answers,
// so a power cut of the server can undo what was acknowledged. A move is a copy and a removal, with a moment in which both
// are there. Secrets are read from files or the environment and never printed.
package s3
