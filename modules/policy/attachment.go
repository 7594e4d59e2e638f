package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// ObjectDraft is what the attachments of a draft belong to until it is published: staff alone see them.
const ObjectDraft = "policy_draft"

// Files keeps the attachments.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	// Pass hands the files of an object to another one.
	Pass(ctx context.Context, tx bun.Tx, object string, id int64, toObject string, toID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
	// Open opens a file whose policy the asker may see: that was established before.
	Open(ctx context.Context, fileID int64) (web.Download, error)
}

// FileView is an attachment as it is listed.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// SeesDraft returns nil when the actor works with the library, ErrNotFound otherwise.
func (s *Service) SeesDraft(ctx context.Context, actor access.Actor, id int64) error {
	if !isStaff(actor) {
		return fault.ErrNotFound
	}
	return s.Sees(ctx, actor, id)
}

// claim ties the files a draft names for the first time.
func (s *Service) claim(ctx context.Context, tx bun.Tx, actor access.Actor, policy int64, had, want []int64) error {
	for _, id := range want {
		if slices.Contains(had, id) {
			continue
		}
		if s.files == nil {
			return fault.InvalidField("fileIds", "POLICY_FILE", "本系统没有启用附件")
		}
		known, err := s.attached(ctx, tx, policy)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(f FileView) bool { return f.ID == id }) { // taken out before, and wanted again
			continue
		}
		err = s.files.Claim(ctx, tx, actor, id, ObjectDraft, policy)
		if errors.Is(err, fault.ErrNotFound) {
			return fault.InvalidField("fileIds", "POLICY_FILE", "附件不存在或已用于别处，请重新上传")
		} else if err != nil {
			return fmt.Errorf("claim file %d: %w", id, err)
		}
	}
	return nil
}

// showFiles makes the files of a draft those of the published policy.
func (s *Service) showFiles(ctx context.Context, tx bun.Tx, policy int64) error {
	if s.files == nil {
		return nil
	}
	return s.files.Pass(ctx, tx, ObjectDraft, policy, Object, policy)
}

func (s *Service) attached(ctx context.Context, db bun.IDB, policy int64) ([]FileView, error) {
	if s.files == nil {
		return nil, nil
	}
	public, err := s.files.Of(ctx, db, Object, policy)
	if err != nil {
		return nil, err
	}
	drafts, err := s.files.Of(ctx, db, ObjectDraft, policy)
	return append(public, drafts...), err
}

// filesOf lists the named files of a policy in the order of the names.
func (s *Service) filesOf(ctx context.Context, db bun.IDB, policy int64, ids []int64) ([]FileView, error) {
	out := []FileView{}
	if len(ids) == 0 {
		return out, nil
	}
	all, err := s.attached(ctx, db, policy)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		for _, f := range all {
			if f.ID == id {
				f.URL = fmt.Sprintf("/policies/%d/files/%d", policy, id)
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// Attachment opens a file that the policy in force names, for everybody who sees the policy; staff open those of a draft.
func (s *Service) Attachment(ctx context.Context, actor access.Actor, policy, file int64) (web.Download, error) {
	p, err := s.find(ctx, s.db.Read(), actor, policy)
	if err != nil {
		return web.Download{}, err
	}
	ids := p.FileIDs
	if isStaff(actor) && s.files != nil {
		all, err := s.attached(ctx, s.db.Read(), policy)
		if err != nil {
			return web.Download{}, err
		}
		for _, f := range all {
			ids = append(ids, f.ID)
		}
	}
	if s.files == nil || !slices.Contains(ids, file) {
		return web.Download{}, fault.ErrNotFound
	}
	return s.files.Open(ctx, file)
}
