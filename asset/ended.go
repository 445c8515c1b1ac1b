package asset

import "io/fs"

// ErrJobEnded is wrapped when a batch job has ended or expired; it does not come back. It is an fs.ErrNotExist.
var ErrJobEnded error = jobEnded{}

type jobEnded struct{}

func (jobEnded) Error() string        { return "the job has ended" }
func (jobEnded) Is(target error) bool { return target == fs.ErrNotExist }
