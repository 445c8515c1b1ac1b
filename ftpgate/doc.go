// Package ftpgate is the door for people and machines that drop files by FTP. An upload becomes a drop as one whole file, or
// not at all.
//
// # Whole or nothing
//
// In FTP the end of the data is the end of the file, and a client that was killed ends its data in the same way as one that is
// done. What tells them apart is the other connection: a dead client has lost that one too. So an upload takes these steps:
//
//  1. Its bytes are staged, on their way to the store where that takes them ([Folder].Streams); nobody sees them. The control connection is watched meanwhile: its end, and ABOR, end the upload.
//  2. At the end of the data the kernel is asked about the control connection. It must be open in both directions. On an
//     encrypted data connection the end must have been said (close_notify); a size that was declared by ALLO must be reached.
//  3. The bytes are made durable under a name that nobody lists. Only then the client is told 226.
//  4. The reply must have been heard: another command came, or the end of a client that has read everything, or every byte was
//     acknowledged and the client still lived after [Options.Settle]. Then the file gets its name, at once and whole, and
//     [Options.Heard] is called. Other FTP sessions of this gate see it before; when they want to open or change it, they wait.
//  5. Its uploader goes on seeing it when the walk has taken it in, in that session, and for a minute in others: clients look for
//     what they have just sent. Nobody else sees it, and nothing can be done with it.
//  6. An upload that broke, or whose reply was not heard, is kept for its owner to go on with, on any node ([Options.ResumeTTL]).
//
// # Where this promise has a limit
//
//   - A client that ends its data early and lives on, for longer than Settle or with another command, cannot be told from one that
//     is done, unless it declared the size. The format of the file can still tell.
//   - Behind a proxy for TCP connections the acknowledgments are the proxy's, and the two ends of a client that was killed come one
//     after the other: with one of [Options.Proxies] the gate waits a moment for the second.
//   - After a crash between steps 3 and 4 the upload is published, since its client may have been told 226, but Heard is not
//     called: the walk must prove it by its format, or wait until it is quiet.
//
// # What it writes
//
// Below [Folder].Prefix what clients store; below [Folder].Aside the folders pending (step 3) and partials (step 6); in the store streams.
//
// # What it never does
//
// Change a byte of a file (TYPE A is taken and ignored), connect to another address than the client's own, follow a link, or
// leave the hotfolders of a user.
package ftpgate
