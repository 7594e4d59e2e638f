package server

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
)

// officialAccount lets people sign in with WeChat.
type officialAccount struct{ client *wechat.Client }

var _ identity.Wechat = officialAccount{}

// wechatOf is the account for identity, nil where the installation has none.
func wechatOf(c *wechat.Client) identity.Wechat {
	if c == nil {
		return nil
	}
	return officialAccount{c}
}

// App names the account.
func (o officialAccount) App() string { return o.client.AppID() }

// AuthorizeURL asks WeChat silently: only for the open id.
func (o officialAccount) AuthorizeURL(redirect, state string) (string, error) {
	return o.client.AuthorizeURL(redirect, state, wechat.Base)
}

// Exchange turns WeChat's answers into what the person is told.
func (o officialAccount) Exchange(ctx context.Context, code string) (identity.WechatPerson, error) {
	who, err := o.client.Exchange(ctx, code)
	if err == nil {
		return identity.WechatPerson{OpenID: who.OpenID, Snapshot: who.Snapshot}, nil
	}
	var refused *wechat.Refused
	if errors.As(err, &refused) && (refused.Code == wechat.CodeInvalidCode || refused.Code == wechat.CodeCodeUsed) {
		return identity.WechatPerson{}, identity.ErrWechatCode.Wrap(err)
	}
	return identity.WechatPerson{}, identity.ErrWechatDown.Wrap(err)
}

// workplaces lists the institutions that accounts of operators may be opened for.
type workplaces struct{ *institution.Service }

var _ identity.InstitutionList = workplaces{}

// Institutions names those that are in service.
func (w workplaces) Institutions(ctx context.Context, _ bun.IDB) ([]identity.Named, error) {
	list := []identity.Named{}
	f := institution.ListFilter{Status: institution.Active, Limit: 100}
	for {
		items, next, err := w.List(ctx, access.SystemActor("identity"), f)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			list = append(list, identity.Named{ID: i.ID, Name: i.Name})
		}
		if f.Cursor = next; next == "" {
			return list, nil
		}
	}
}
