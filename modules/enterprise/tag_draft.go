package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// TagDrafts lists the definitions that are being entered. It needs enterprise.tags or enterprise.tag_publish.
func (s *Service) TagDrafts(ctx context.Context, actor access.Actor) ([]TagDraft, error) {
	if err := tagEditor(actor); err != nil {
		return nil, err
	}
	db := s.db.Read()
	var rows []tagDraft
	if err := db.NewSelect().Model(&rows).OrderExpr("td.code").Scan(ctx); err != nil {
		return nil, err
	}
	there, err := tagsInForce(ctx, db)
	if err != nil {
		return nil, err
	}
	out := make([]TagDraft, 0, len(rows))
	for _, r := range rows {
		b, err := readTag(r.Body)
		if err != nil {
			return nil, err
		}
		out = append(out, TagDraft{b, r.Version, !slices.ContainsFunc(there, func(e tagEdition) bool { return e.Code == r.Code }), r.UpdatedBy, r.UpdatedAt.UTC(),
			actor.Can(PermTagPublish) && !slices.Contains(r.Writers, actor.UserID), s.tagWords(b)})
	}
	return out, nil
}

// tagEditor returns a fault for whoever neither enters definitions nor puts them into force.
func tagEditor(actor access.Actor) error {
	if actor.Can(PermTags) || actor.Can(PermTagPublish) {
		return nil
	}
	return actor.Need(PermTags)
}

// SaveTagDraft enters a definition (Version 0 begins one) or changes what is entered.
type SaveTagDraft struct {
	TagBody
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// SaveTagDraft enters a definition for a second person to publish. It needs enterprise.tags; a version that is not the newest
// is a conflict.
func (s *Service) SaveTagDraft(ctx context.Context, actor access.Actor, cmd SaveTagDraft) ([]TagDraft, error) {
	if err := actor.Need(PermTags); err != nil {
		return nil, err
	}
	if err := s.CheckTag(&cmd.TagBody); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(cmd.TagBody)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.onTag(ctx, actor, "enterprise.tag_draft", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		if err := s.fitsOthers(ctx, tx, cmd.TagBody); err != nil {
			return "", err
		}
		row := tagDraft{Code: cmd.Code, Body: string(raw), Version: cmd.Version + 1, UpdatedBy: actor.Name, UpdatedAt: now}
		var is tagDraft
		err := database.Found(tx.NewSelect().Model(&is).Where("td.code = ?", cmd.Code).Scan(ctx))
		there := err == nil
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return "", err
		}
		if row.Writers = is.Writers; !slices.Contains(row.Writers, actor.UserID) {
			row.Writers = append(slices.Clone(row.Writers), actor.UserID)
		}
		switch {
		case !there && cmd.Version != 0, there && cmd.Version == 0:
			return "", fault.ErrChanged
		case !there:
			if _, err := tx.NewInsert().Model(&row).Exec(ctx); database.IsDuplicate(err) {
				return "", fault.ErrChanged.Wrap(err)
			} else if err != nil {
				return "", err
			}
		default:
			if err := database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("code").Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx)); err != nil {
				return "", err
			}
		}
		return "录入企业标签：" + cmd.Name, nil
	})
	if err != nil {
		return nil, err
	}
	return s.TagDrafts(ctx, actor)
}

// fitsOthers refuses a definition that does not go with those in force.
func (s *Service) fitsOthers(ctx context.Context, db bun.IDB, b TagBody) error {
	rows, err := tagsInForce(ctx, db)
	if err != nil {
		return err
	}
	used := 0
	for _, r := range rows {
		o, err := readTag(r.Body)
		switch {
		case err != nil:
			return err
		case o.Code == b.Code && o.Kind != b.Kind:
			return ErrTagKind
		case o.Code != b.Code && !o.Retired:
			if used++; o.Name == b.Name && !b.Retired {
				return ErrTagName
			}
		}
	}
	if used >= maxTags && !b.Retired {
		return fault.New(fault.Invalid, "TAG_COUNT", fmt.Sprintf("使用中的标签最多 %d 个，请先停用不再使用的标签", maxTags))
	}
	return nil
}

// onTag is the frame of a change of tags: key, change, audit, in one transaction.
func (s *Service) onTag(ctx context.Context, actor access.Actor, operation, key string, request any, step func(ctx context.Context, tx bun.Tx) (string, error)) error {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (started, error) {
			summary, err := step(ctx, tx)
			if err != nil {
				return started{}, err
			}
			return started{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: objectTag, Summary: summary, Detail: request})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// TagDraftRef names a draft at the version that was seen.
type TagDraftRef struct {
	Code    string `json:"code"`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

func takeTagDraft(ctx context.Context, tx bun.Tx, cmd TagDraftRef) (tagDraft, TagBody, error) {
	var d tagDraft
	if err := database.Found(tx.NewSelect().Model(&d).Where("td.code = ?", cmd.Code).Scan(ctx)); err != nil {
		return d, TagBody{}, err
	}
	if err := database.Changed(tx.NewDelete().Model((*tagDraft)(nil)).Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx)); err != nil {
		return d, TagBody{}, err
	}
	b, err := readTag(d.Body)
	return d, b, err
}

// DiscardTagDraft throws away what was entered. It needs enterprise.tags.
func (s *Service) DiscardTagDraft(ctx context.Context, actor access.Actor, cmd TagDraftRef) ([]TagDraft, error) {
	if err := actor.Need(PermTags); err != nil {
		return nil, err
	}
	err := s.onTag(ctx, actor, "enterprise.tag_discard", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		_, b, err := takeTagDraft(ctx, tx, cmd)
		return "放弃录入的企业标签：" + b.Name, err
	})
	if err != nil {
		return nil, err
	}
	return s.TagDrafts(ctx, actor)
}

// PublishTagDraft puts what was entered into force. It needs enterprise.tag_publish and a person who wrote none of it
// (ErrOwnTag). The companies get and lose the tag within minutes.
func (s *Service) PublishTagDraft(ctx context.Context, actor access.Actor, cmd TagDraftRef) ([]TagView, error) {
	if err := actor.Need(PermTagPublish); err != nil {
		return nil, err
	}
	err := s.onTag(ctx, actor, "enterprise.tag_publish", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		d, b, err := takeTagDraft(ctx, tx, cmd)
		if err != nil {
			return "", err
		}
		if slices.Contains(d.Writers, actor.UserID) {
			return "", ErrOwnTag
		}
		return "发布企业标签：" + b.Name, s.addTag(ctx, tx, actor, b, d.UpdatedBy+" 录入，"+actor.Name+" 发布")
	})
	if err != nil {
		return nil, err
	}
	return s.Tags(ctx, actor)
}

// AddTag adds an edition as another installation has it. Only the system may; people enter a draft, which a second person
// publishes.
func (s *Service) AddTag(ctx context.Context, actor access.Actor, b TagBody) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	if err := s.CheckTag(&b); err != nil {
		return err
	}
	return s.onTag(ctx, actor, "enterprise.tag_add", "", b, func(ctx context.Context, tx bun.Tx) (string, error) {
		return "导入企业标签：" + b.Name, s.addTag(ctx, tx, actor, b, actor.Name)
	})
}

// addTag adds an edition; two at once meet at the index of numbers.
func (s *Service) addTag(ctx context.Context, tx bun.Tx, actor access.Actor, b TagBody, by string) error {
	if err := s.fitsOthers(ctx, tx, b); err != nil {
		return err
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	var last int64
	if err := database.QueryOne(ctx, tx, []any{&last}, "SELECT coalesce(max(no), 0) FROM enterprise_tag_editions WHERE code = ?", b.Code); err != nil {
		return err
	}
	row := tagEdition{Code: b.Code, No: last + 1, Body: string(raw), ByName: by, CreatedAt: s.clock.Now()}
	if _, err := tx.NewInsert().Model(&row).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return fault.ErrChanged.Wrap(err)
	} else if err != nil {
		return err
	}
	_, err = event.Append(ctx, tx, actor, row.CreatedAt, TagChanged{row.ID, b.Code, b.Name, row.No})
	return err
}
