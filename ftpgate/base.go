package ftpgate

import (
	"context"

	"hotfolderd/asset"
)

// source is what an upload may go on with: what is kept of a broken one, or a file.
type source struct {
	kept *attempt
	size int64
}

// fillBase stages the bytes that an upload goes on with: the first offset ones, or all for APPE.
func (u *upload) fillBase(ctx context.Context, offset int64, appending bool) error {
	if offset == 0 && !appending {
		return nil
	}
	from, err := u.source(ctx)
	if err != nil {
		return err
	}
	if appending {
		offset = from.size
	}
	switch {
	case offset > from.size:
		return answerf(554, "it cannot go on at %d: there are %d bytes", offset, from.size)
	case offset == 0:
		return nil
	case from.kept != nil:
		err = from.kept.copyTo(ctx, u.staged, u.to.folder.Store, offset)
	default:
		err = copyPart(ctx, u.staged, u.to.folder.Store, u.to.had, 0, offset)
	}
	u.base = offset
	return err
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
	case kept != nil && (!usable || !kept.changed.Before(had.Changed)):
		return source{kept, kept.size}, nil
	case usable:
		return source{nil, had.Size}, nil
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
