package ftpgate

import (
	"context"

	"hotfolderd/asset"
	"hotfolderd/intake"
)

// source is what an upload may go on with: what is kept of a broken one, or a file.
type source struct {
	kept *attempt
	file bool
	size int64
}

func (s source) nothing() bool { return s.kept == nil && !s.file }

// findBase finds the bytes that an upload goes on with: the first offset ones, or all for APPE.
func (u *upload) findBase(ctx context.Context, offset int64, appending bool) (source, int64, error) {
	if offset == 0 && !appending {
		return source{}, 0, nil
	}
	from, err := u.source(ctx)
	if err != nil {
		return from, 0, err
	}
	if from.nothing() && u.s.tookIn(u.to.place) {
		return from, 0, errTakenIn // what comes is the rest of it, and must not become a file of its own
	}
	if appending {
		offset = from.size
	}
	if offset > from.size {
		return from, 0, answerf(554, "it cannot go on at %d: there are %d bytes", offset, from.size)
	}
	if from.kept != nil {
		if _, ok := from.kept.partBefore(offset); !ok {
			return from, 0, answerf(554, "it cannot go on at %d any more; it can at %d, or begin anew", offset, from.size)
		}
	}
	return from, offset, nil
}

// fillBase stages those of them that are not there yet.
func (u *upload) fillBase(ctx context.Context, from source, offset int64) error {
	u.base = offset
	switch have := u.staged.Size(); {
	case have == offset:
		return nil
	case from.kept != nil:
		return from.kept.pieces.CopyTo(ctx, u.staged, u.to.folder.Store, have, offset)
	default:
		return intake.CopyPart(ctx, u.staged, u.to.folder.Store, u.to.had, 0, offset)
	}
}

// source is the newer of what is kept and the file that is there. Somebody who may not see files goes on only with their own.
func (u *upload) source(ctx context.Context) (source, error) {
	kept, err := u.s.kept(ctx, u.to.place)
	if err != nil {
		return source{}, err
	}
	had := u.to.had
	usable := had.Key != asset.Root && (u.user.May(MayList) || u.s.g.recent.is(u.name(), had))
	switch {
	case kept != nil && (!usable || !kept.pieces.Changed.Before(had.Changed)):
		return source{kept: kept, size: kept.pieces.Size}, nil
	case usable:
		return source{file: true, size: had.Size}, nil
	}
	return source{}, nil
}

// kept is the newest of what is kept of the user's broken uploads to a place; nil when there is nothing.
func (s *session) kept(ctx context.Context, p place) (*attempt, error) {
	if s.g.o.ResumeTTL < 0 || !s.account().May(MayUpload) {
		return nil, nil
	}
	all, err := attempts(ctx, p.folder, s.account().Name, nameOf(p))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}
