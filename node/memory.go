package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// memoryFile, in the folder of [Options.Memory], leads from the address of a store to the identity that it had.
const memoryFile = "stores.json"

// ErrReplaced is wrapped by the error of [New] when another store, or none, is where this machine knows one. No
// work area was made then. With [Options.NewStore] what is there is taken.
var ErrReplaced = errors.New("not the store that this machine worked with before")

var errTorn = errors.New("the known stores cannot be understood")

// KnownStore is the identity that the store of a URL or a plain path had when a node last opened it with this memory; empty
// when there is none, and without a memory.
func KnownStore(memory, where string) (id string, err error) {
	address, err := addressOf(where)
	if memory == "" || err != nil {
		return "", err
	}
	known, err := readMemory(memory)
	return known[address], err
}

func readMemory(memory string) (map[string]string, error) {
	file := filepath.Join(memory, memoryFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the known stores: %w", err)
	}
	var known map[string]string
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, fmt.Errorf("%w: %q: %v", errTorn, file, err)
	}
	return known, nil
}

// expected is the identity that the node's store must have; empty is any. A memory that cannot be read protects nobody, but
// it is no reason to stop.
func (n *Node) expected() string {
	if n.o.NewStore {
		return ""
	}
	id, err := KnownStore(n.o.Memory, n.o.Settings.Storage.URL)
	if err != nil {
		n.noMemory(err)
	}
	return id
}

// replaced tells the refusal of a known store from the other faults of an identity.
func (n *Node) replaced(err error, expect string) error {
	if expect == "" || !errors.Is(err, storage.ErrIdentity) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("store %q: %w: %w", n.o.Settings.Storage.URL, ErrReplaced, err)
}

// remember notes which store was opened.
func (n *Node) remember() {
	if n.o.Memory == "" {
		return
	}
	address, err := addressOf(n.o.Settings.Storage.URL)
	if err == nil {
		err = remember(n.o.Memory, address, n.area.ID())
	}
	if err != nil {
		n.noMemory(err)
	}
}

func (n *Node) noMemory(err error) {
	n.log.Warn("the store is not remembered on this machine", zap.Error(err))
}

// remember replaces the file whole. Several nodes of one machine may do it at once: whoever holds the folder's lock writes.
func remember(memory, address, id string) (err error) {
	if err := os.MkdirAll(memory, 0o700); err != nil {
		return fmt.Errorf("make the folder of the known stores: %w", err)
	}
	folder, err := os.Open(memory)
	if err != nil {
		return fmt.Errorf("lock the known stores: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the known stores: %w", err)
	}
	known, err := readMemory(memory)
	if err != nil && !errors.Is(err, errTorn) { // what is torn is written anew
		return err
	}
	if known[address] == id {
		return nil
	}
	if known == nil {
		known = map[string]string{}
	}
	known[address] = id
	if err := errors.Join(writeMemory(memory, known), folder.Sync()); err != nil {
		return fmt.Errorf("write the known stores: %w", err)
	}
	return nil
}

func writeMemory(memory string, known map[string]string) error {
	data, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(memory, "."+memoryFile+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(memory, memoryFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
