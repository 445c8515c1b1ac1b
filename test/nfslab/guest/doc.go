// Package guest is what runs inside a guest of package nfslab: it is the first process there, makes the machine usable, and does
// what the tests ask for by net/rpc. The guest's root is the root of the machine that runs the tests, read-only, with a few folders
// of its own; the lab's folder is the machine's own and may be written, so that paths mean the same on both sides.
package guest

// Port is where a guest listens.
const Port = "7000"

// The settings of a guest, from the command line of its kernel.
const (
	EnvAddress = "LAB_ADDRESS" // of the guest
	EnvShared  = "LAB_SHARED"  // the folder that it shares with the machine
	EnvModules = "LAB_MODULES" // the folder of its kernel's modules
	EnvServer  = "LAB_SERVER"  // not empty: it serves NFS
)

// OneSegment is how many segments a sender may hand to the wire as one: the driver of the guests throws longer ones away ("Incoming GSO
// frames" on its console), so that what is sent again is thrown away again, and connections stand still for minutes.
const OneSegment = "1"

// Export is what the server's export is called, by NFS 3; by NFS 4 it is the root.
const Export = "/srv/export"

// What a test asks for; see [Service].
type (
	// Command is a program to run with the machine's own tools. Log is a file for what it says.
	Command struct {
		Argv []string
		Dir  string
		Env  []string
		Log  string
	}
	// Result is how a command ended.
	Result struct {
		Exit   int
		Output string
	}
	// Signal is one for a process that was started. Of pid -1, all get it.
	Signal struct{ PID, Signal int }
	// Mount is the five words of mount(2).
	Mount struct {
		Source, Target, Type, Options string
		Flags                         uintptr
	}
	// Put writes a file beside and renames it to Path.
	Put struct {
		Path, Beside string
		Data         []byte
	}
	// Write writes to a file as a slow program would: Size first makes the file as long as that, then the pieces come, one each Pause.
	Write struct {
		Path   string
		Size   int64
		Pieces [][]byte
		Pause  int64 // nanoseconds
	}
	// Bare is for the time of bare calls: so many, on files of a folder, of so many bytes.
	Bare struct {
		Dir         string
		Times, Size int
	}
	// BareTimes are of one look at the folder by the server's word, and of one file that is made, durable under a second name, and removed; in
	// nanoseconds.
	BareTimes struct{ Looks, Files []int64 }
	// Content of a file, and when the store says that it was changed, in nanoseconds.
	Content struct {
		Data    []byte
		Changed int64
	}
)
