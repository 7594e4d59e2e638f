package server

import (
	"context"
	"errors"

	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/identity"
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
