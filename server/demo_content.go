package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/access"
)

// demoColumns gives the world's columns and groups as ours.
var demoColumns = map[string]string{
	"要闻": "headline", "政策解读": "reading", "惠企动态": "trends", "活动培训": "training", "企业故事": "story",
	"账号": "account", "企业": "company", "产品": "product", "政策": "policy", "热线": "hotline",
}

// demoHelpLinks leads from a group of help to where it is done.
var demoHelpLinks = map[string]string{"账号": "相关入口：[企业注册](/register)、[登录](/login)", "热线": "相关入口：[提交诉求](/tickets/new)、[我的诉求](/tickets)"}

// demoHelpSource signs the help of the demo.
const demoHelpSource = "平台运营中心〔演示〕"

// demoUnfinished are the news of the story that are still on their way, by their place: every queue of the editors has
// something in it.
var demoUnfinished = map[int]content.Status{20: content.Draft, 28: content.InReview, 33: content.InReview, 24: content.Withdrawn}

// seedContent writes the district's news, notices and help: an operator writes, the editor lets out.
func (h *house) seedContent(ctx context.Context, s *seeded) error {
	author, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	publisher, err := s.as(ctx, h, "staff", "editor01")
	if err != nil {
		return err
	}
	var past []content.Past
	var pending []content.Text
	var states []content.Status
	add := func(at time.Time, t content.Text) {
		past = append(past, content.Past{Text: t, At: at, Author: author, Publisher: publisher})
	}
	for i, n := range s.world.News {
		t := content.Text{Kind: content.News, Column: demoColumns[n.Column], Title: n.Title, Body: strings.Join(n.Paragraphs, "\n"), Source: n.Source, Top: n.Top}
		if st, ok := demoUnfinished[i]; ok {
			pending, states = append(pending, t), append(states, st)
			continue
		}
		add(n.PublishedAt, t)
	}
	for _, n := range s.world.Notices {
		expires := n.ExpiresAt
		add(n.PublishedAt, content.Text{Kind: content.Notice, Title: n.Title, Body: n.Body, Source: demoHelpSource, ExpiresAt: &expires})
	}
	for i, a := range s.world.Help {
		var b strings.Builder
		for n, step := range a.Steps {
			fmt.Fprintf(&b, "%d. %s\n", n+1, step)
		}
		b.WriteString("# 说明\n" + a.Body + "\n" + demoHelpLinks[a.Group])
		// Help stands in the order in which it was written: the first article last.
		add(s.at.Now().AddDate(0, 0, -i), content.Text{Kind: content.Help, Column: demoColumns[a.Group], Title: a.Title, Body: b.String(), Source: demoHelpSource})
	}
	slices.SortStableFunc(past, func(a, b content.Past) int { return a.At.Compare(b.At) })
	if err := h.content.Load(ctx, access.SystemActor("seed"), past); err != nil {
		return err
	}
	s.at.Set(s.at.Now().AddDate(0, 6, -1))
	for i, t := range pending {
		if err := h.seedArticle(ctx, author, publisher, t, states[i]); err != nil {
			return fmt.Errorf("%s: %w", t.Title, err)
		}
	}
	return nil
}

// seedArticle brings an article as far as the story tells.
func (h *house) seedArticle(ctx context.Context, author, publisher access.Actor, t content.Text, to content.Status) error {
	v, err := h.content.Create(ctx, author, content.CreateArticle{Text: t})
	if err != nil || to == content.Draft {
		return err
	}
	if v, err = h.content.Submit(ctx, author, content.Ref{ID: v.ID, Version: v.Version}); err != nil || to == content.InReview {
		return err
	}
	if v, err = h.content.Publish(ctx, publisher, content.Ref{ID: v.ID, Version: v.Version}); err != nil {
		return err
	}
	_, err = h.content.Withdraw(ctx, publisher, content.ReasonedArticle{Ref: content.Ref{ID: v.ID, Version: v.Version}, Reason: "主办单位调整了活动时间，核实后重新发布。"})
	return err
}
