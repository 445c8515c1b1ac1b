package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const epochName = "epoch"

// nextEpoch counts this start, durably. It is called under the lock of dir.
//
// Without an epoch file the count begins with the seconds of the clock, not with 1: when the folder was lost, tokens go on
// growing. A file that cannot be read as a number stops the node, for guessing might let them shrink.
func nextEpoch(dir string) (uint64, error) {
	path := filepath.Join(dir, epochName)
	next := uint64(time.Now().Unix())
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return 0, fmt.Errorf("read the epoch: %w", err)
	default:
		if next, err = parseEpoch(string(b)); err != nil {
			return 0, fmt.Errorf("%s is damaged (remove it, and counting begins with the clock): %w", strconv.Quote(path), err)
		}
		next++
	}
	return next, replaceDurably(dir, epochName, strconv.FormatUint(next, 10)+"\n")
}

func parseEpoch(s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "\n"), 10, 64)
	if err == nil && n+1 == 0 {
		return 0, errors.New("it cannot grow any more")
	}
	return n, err
}

// replaceDurably gives name this content, whole or not at all, and returns when a power cut cannot take it back.
func replaceDurably(dir, name, content string) error {
	tmp := filepath.Join(dir, name+".new")
	if err := writeSynced(tmp, content); err != nil {
		return fmt.Errorf("write the epoch: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("write the epoch: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write the epoch: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func writeSynced(path, content string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
