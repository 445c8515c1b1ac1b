package thumbnails

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// SweepOptions say how much of an image cache may stay. The zero value takes nothing away.
type SweepOptions struct {
	Size int64         // bytes that may stay; 0 is no limit
	Age  time.Duration // that may stay since a thumbnail was made or used last; 0 is no limit
	// May is asked before each removal: an error ends the sweep. Nil: always.
	May func() error
}

// Swept is what a sweep found and did.
type Swept struct {
	Files, Bytes int64 // that stay
	Gone, Freed  int64 // files and bytes that were removed
}

// lowWater is to which part of the limit a sweep that is over it goes down, so that it is not over it again at once.
const lowWater = 0.95

// Sweep makes room in the image cache below prefix: what is older than may be goes, and while there is more than may be, what was not
// used for longest; never anything else. Memory does not grow with the number of files: they are listed twice, once for their
// ages. It may be broken off and repeated, and beside nodes that make and read thumbnails: what they miss is made again when somebody
// asks.
func Sweep(ctx context.Context, store storage.Store, prefix asset.Key, o SweepOptions) (Swept, error) {
	s := sweep{store: store, prefix: prefix, o: o, now: time.Now()}
	err := s.measure(ctx)
	if err == nil {
		err = s.remove(ctx)
	}
	if err != nil {
		return s.did, fmt.Errorf("sweep the image cache: %w", err)
	}
	return s.did, nil
}

type sweep struct {
	store  storage.Store
	prefix asset.Key
	o      SweepOptions
	now    time.Time
	ages   [ageSteps]int64 // bytes by age
	did    Swept
}

// Ages are told apart to two parts in a hundred: that is fine enough to find who was not used for longest, and little to remember.
const (
	ageSteps = 1200
	ageRatio = 0.02
)

// ageStep is the place of an age among the others; the older, the higher. What comes from the future of this clock is new.
func ageStep(age time.Duration) int {
	return min(max(0, int(math.Log(max(1, age.Seconds()))/ageRatio)), ageSteps-1)
}

func (s *sweep) files(ctx context.Context, do func(storage.Object) error) error {
	for o, err := range s.store.List(ctx, s.prefix, storage.ListOptions{Recursive: true}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err == nil && (o.Kind == storage.Regular || o.Kind == storage.HardLinked):
			err = do(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) measure(ctx context.Context) error {
	return s.files(ctx, func(o storage.Object) error {
		s.did.Files++
		s.did.Bytes += o.Size
		s.ages[ageStep(s.now.Sub(o.Changed))] += o.Size
		return nil
	})
}

// remove goes through the files once more. Of those of the youngest age that has to go in part, as many go as it takes.
func (s *sweep) remove(ctx context.Context) error {
	above, part := s.cut()
	if above == ageSteps && s.o.Age <= 0 {
		return nil
	}
	return s.files(ctx, func(o storage.Object) error {
		age := s.now.Sub(o.Changed)
		switch at := ageStep(age); {
		case s.o.Age > 0 && age > s.o.Age, at > above:
		case at == above && part > 0:
			part -= o.Size
		default:
			return nil
		}
		return s.drop(ctx, o)
	})
}

// cut says which ages have to go for want of room: all above, and part of the bytes at above itself. above is ageSteps when there is room.
func (s *sweep) cut() (above int, part int64) {
	if s.o.Size <= 0 || s.did.Bytes <= s.o.Size {
		return ageSteps, 0
	}
	part = s.did.Bytes - int64(float64(s.o.Size)*lowWater)
	for above = ageSteps - 1; above > 0 && s.ages[above] < part; above-- {
		part -= s.ages[above]
	}
	return above, part
}

// drop removes a file that is still as it was listed, and its folder when that is empty then.
func (s *sweep) drop(ctx context.Context, o storage.Object) error {
	if s.o.May != nil {
		if err := s.o.May(); err != nil {
			return err
		}
	}
	err := s.store.Remove(ctx, o.Key, o.Version)
	if errors.Is(err, storage.ErrChanged) || errors.Is(err, fs.ErrNotExist) {
		return nil // it was used, or somebody else did it
	}
	if err != nil {
		return err
	}
	s.did.Files, s.did.Bytes = s.did.Files-1, s.did.Bytes-o.Size
	s.did.Gone, s.did.Freed = s.did.Gone+1, s.did.Freed+o.Size
	if folders, ok := s.store.(storage.FolderRemover); ok {
		_ = folders.RemoveFolder(ctx, o.Key.Dir()) // it fails while something is in it
	}
	return nil
}
