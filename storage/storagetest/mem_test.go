package storagetest

import (
	"testing"

	"go.uber.org/goleak"

	"hotfolderd/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMem_keepsTheContract(t *testing.T) {
	Run(t, func(*testing.T) storage.Store { return NewMem() })
}

func TestMem_takesStreams(t *testing.T) {
	RunStreams(t, func(*testing.T) storage.Store { return NewMem() }, Options{Part: MemPart})
}

func TestFault_withoutRulesChangesNothing(t *testing.T) {
	Run(t, func(*testing.T) storage.Store { return NewFault(NewMem()) })
}
