package undo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/undo"
)

func TestMay(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Conflict, "UNDO", "不能撤销")
	rule := undo.Rule{Anybodys: "x.review_undo", Refused: refused}
	at := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	reviewer := access.Actor{UserID: 7, Party: access.Platform}
	head := access.Actor{UserID: 8, Party: access.Platform, Permissions: []access.Permission{"x.review_undo"}}
	for _, c := range []struct {
		what    string
		actor   access.Actor
		after   time.Duration
		reviews error
		want    error
		says    string
	}{
		{"who decided, at once", reviewer, 0, nil, nil, ""},
		{"who decided, at the last moment", reviewer, undo.Own, nil, nil, ""},
		{"who decided, later", reviewer, undo.Own + time.Second, nil, refused, "已超过 30 分钟，请由平台运营人员撤销"},
		{"who decided and is a reviewer no more", reviewer, 0, fault.ErrForbidden, fault.ErrForbidden, fault.ErrForbidden.Message},
		{"another reviewer", access.Actor{UserID: 9, Party: access.Platform}, 0, nil, refused, "只能由作出决定的审核人员（30 分钟内）或平台运营人员撤销"},
		{"with the right, whoever decided", head, 48 * time.Hour, fault.ErrForbidden, nil, ""},
	} {
		err := rule.May(c.actor, undo.Decision{By: 7, At: at}, at.Add(c.after), func() error { return c.reviews })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
		if f, ok := fault.As(err); ok && f.Message != c.says {
			t.Errorf("%s: %q", c.what, f.Message)
		}
	}
}
