package identity

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web"
)

type listUsersInput struct {
	web.Listing
	Query string       `query:"q" maxLength:"100" doc:"Part of the name, or the beginning of the account."`
	Phone string       `query:"phone" maxLength:"30" doc:"The last four digits, or the whole number."`
	Party access.Party `query:"party" maxLength:"20"`
	Role  string       `query:"role" maxLength:"40"`
	State UserState    `query:"state" maxLength:"20"`
}

type listUsersOutput struct{ Body web.List[UserItem] }

type userInput struct {
	ID int64 `path:"id"`
}

type userOutput struct{ Body UserView }

// userPasswordOutput carries a password that is shown once.
type userPasswordOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		User     UserView `json:"user"`
		Password string   `json:"password" doc:"Shown once; nobody can read it again."`
	}
}

type createUserInput struct {
	web.Keyed
	Body struct {
		Name          string       `json:"name" maxLength:"300"`
		Account       string       `json:"account" maxLength:"100"`
		Phone         string       `json:"phone" maxLength:"40"`
		Party         access.Party `json:"party" enum:"platform,government,institution"`
		DepartmentID  int64        `json:"departmentId,omitempty"`
		InstitutionID int64        `json:"institutionId,omitempty"`
		Roles         []string     `json:"roles" maxItems:"20"`
	}
}

// UserTarget is embedded by the input of every command on an account; Huma fills exported structs only.
type UserTarget struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (t *UserTarget) ref(version int64) UserRef { return UserRef{t.ID, version, t.Key} }

type editUserInput struct {
	UserTarget
	Body struct {
		Version       int64    `json:"version"`
		Name          string   `json:"name" maxLength:"300"`
		Phone         string   `json:"phone,omitempty" maxLength:"40" doc:"Empty keeps the number."`
		DepartmentID  int64    `json:"departmentId,omitempty"`
		InstitutionID int64    `json:"institutionId,omitempty"`
		Roles         []string `json:"roles" maxItems:"20"`
	}
}

type disableUserInput struct {
	UserTarget
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason" maxLength:"1000"`
	}
}

type userVersionInput struct {
	UserTarget
	Body struct {
		Version int64 `json:"version"`
	}
}

type endUserSessionsInput struct {
	ID   int64 `path:"id"`
	Body struct {
		SessionID int64 `json:"sessionId,omitempty" doc:"One session; all when left out."`
	}
}

type placesOutput struct{ Body Places }

func (s *Service) usersAPI(api huma.API) {
	users := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: "账号", Access: access.Require("identity.users")}.Huma()
	}
	huma.Register(api, users("GET", "/api/users", "账号列表"), func(ctx context.Context, in *listUsersInput) (*listUsersOutput, error) {
		items, next, err := s.Users(ctx, access.From(ctx), UserFilter{in.Query, in.Phone, in.Party, in.Role, in.State, in.Cursor, in.Limit})
		return answer(&listUsersOutput{web.NewList(items, next)}, err)
	})
	huma.Register(api, users("POST", "/api/users", "新建账号"), func(ctx context.Context, in *createUserInput) (*userPasswordOutput, error) {
		b := in.Body
		v, password, err := s.CreateUser(ctx, access.From(ctx), NewUser{in.Key, b.Name, b.Account, b.Phone, b.Party, b.DepartmentID, b.InstitutionID, b.Roles})
		return shownOnce(v, password, err)
	})
	huma.Register(api, users("GET", "/api/user-places", "账号可选的部门和机构"), func(ctx context.Context, _ *struct{}) (*placesOutput, error) {
		p, err := s.Places(ctx, access.From(ctx))
		return answer(&placesOutput{p}, err)
	})
	huma.Register(api, users("GET", "/api/users/{id}", "账号详情"), func(ctx context.Context, in *userInput) (*userOutput, error) {
		v, err := s.User(ctx, access.From(ctx), in.ID)
		return answer(&userOutput{v}, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}", "修改账号"), func(ctx context.Context, in *editUserInput) (*userOutput, error) {
		b := in.Body
		v, err := s.EditUser(ctx, access.From(ctx), EditUser{in.ref(b.Version), b.Name, b.Phone, b.DepartmentID, b.InstitutionID, b.Roles})
		return answer(&userOutput{v}, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}/disable", "停用账号"), func(ctx context.Context, in *disableUserInput) (*userOutput, error) {
		v, err := s.DisableUser(ctx, access.From(ctx), DisableUser{in.ref(in.Body.Version), in.Body.Reason})
		return answer(&userOutput{v}, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}/enable", "启用账号"), func(ctx context.Context, in *userVersionInput) (*userOutput, error) {
		v, err := s.EnableUser(ctx, access.From(ctx), in.ref(in.Body.Version))
		return answer(&userOutput{v}, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}/unlock", "解除锁定"), func(ctx context.Context, in *userVersionInput) (*userOutput, error) {
		v, err := s.UnlockUser(ctx, access.From(ctx), in.ref(in.Body.Version))
		return answer(&userOutput{v}, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}/reset-password", "重置密码"), func(ctx context.Context, in *userVersionInput) (*userPasswordOutput, error) {
		v, password, err := s.ResetPassword(ctx, access.From(ctx), in.ref(in.Body.Version))
		return shownOnce(v, password, err)
	})
	huma.Register(api, users("POST", "/api/users/{id}/end-sessions", "结束账号的登录"), func(ctx context.Context, in *endUserSessionsInput) (*userOutput, error) {
		v, err := s.EndUserSessions(ctx, access.From(ctx), in.ID, in.Body.SessionID)
		return answer(&userOutput{v}, err)
	})
}

func shownOnce(v UserView, password string, err error) (*userPasswordOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &userPasswordOutput{CacheControl: "no-store"}
	out.Body.User, out.Body.Password = v, password
	return out, nil
}

type accountOutput struct{ Body AccountView }

type changePasswordInput struct {
	Body struct {
		Current  string `json:"current" maxLength:"256"`
		Password string `json:"password" maxLength:"256"`
	}
}

type ownSessionInput struct {
	ID int64 `path:"id"`
}

type bindWechatInput struct {
	Body struct {
		Return string `json:"return" maxLength:"500" doc:"Page of the mobile face to come back to."`
	}
}

type bindWechatOutput struct {
	Body struct {
		URL string `json:"url" doc:"Where the browser goes, inside WeChat."`
	}
}

func (s *Service) accountAPI(api huma.API) {
	own := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: "我的账号", Access: access.SignedIn()}.Huma()
	}
	huma.Register(api, own("GET", "/api/account", "我的账号"), func(ctx context.Context, _ *struct{}) (*accountOutput, error) {
		v, err := s.Account(ctx, access.From(ctx))
		return answer(&accountOutput{v}, err)
	})
	huma.Register(api, own("POST", "/api/account/password", "修改自己的密码"), func(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
		return nil, s.ChangePassword(ctx, access.From(ctx), in.Body.Current, in.Body.Password)
	})
	huma.Register(api, own("POST", "/api/account/sessions/{id}/end", "结束自己在一台设备上的登录"), func(ctx context.Context, in *ownSessionInput) (*struct{}, error) {
		return nil, s.Revoke(ctx, access.From(ctx), in.ID)
	})
	huma.Register(api, own("POST", "/api/account/end-other-sessions", "结束自己在其他设备上的登录"), func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, s.EndOtherSessions(ctx, access.From(ctx))
	})
	huma.Register(api, own("POST", "/api/account/wechat/bind", "开始绑定微信"), func(ctx context.Context, in *bindWechatInput) (*bindWechatOutput, error) {
		out := &bindWechatOutput{}
		var err error
		out.Body.URL, err = s.BindWechat(ctx, access.From(ctx), in.Body.Return)
		return answer(out, err)
	})
	huma.Register(api, own("POST", "/api/account/wechat/unbind", "解除微信绑定"), func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, s.UnbindWechat(ctx, access.From(ctx))
	})
}

type auditLogInput struct {
	web.Listing
	From     string `query:"from" maxLength:"40" doc:"RFC 3339; this moment and later."`
	Until    string `query:"until" maxLength:"40" doc:"RFC 3339; before this moment."`
	Actor    string `query:"actor" maxLength:"100" doc:"Part of a name, an account, or the id of a person."`
	Object   string `query:"object" maxLength:"40"`
	ObjectID int64  `query:"objectId"`
	Action   string `query:"action" maxLength:"60" doc:"One action, or with a dot at its end everything of a module."`
}

type auditLogOutput struct{ Body web.List[LogItem] }

type auditEntryInput struct {
	ID int64 `path:"id"`
}

type auditEntryOutput struct{ Body LogView }

// LogSeals says how far the audit log is sealed.
type LogSeals audit.Seals

type auditSealsOutput struct{ Body LogSeals }

func (s *Service) auditAPI(api huma.API) {
	read := func(path, summary string) huma.Operation {
		return web.Operation{Method: "GET", Path: path, Summary: summary, Tag: "审计", Access: access.Require("audit.view")}.Huma()
	}
	huma.Register(api, read("/api/audit-entries", "审计日志"), func(ctx context.Context, in *auditLogInput) (*auditLogOutput, error) {
		f := LogFilter{Actor: in.Actor, Object: in.Object, ObjectID: in.ObjectID, Action: in.Action, Cursor: in.Cursor, Limit: in.Limit}
		for _, m := range []struct {
			field, text string
			into        *time.Time
		}{{"from", in.From, &f.From}, {"until", in.Until, &f.Until}} {
			if m.text == "" {
				continue
			}
			at, err := text.Moment(m.field, m.text)
			if err != nil {
				return nil, err
			}
			*m.into = at
		}
		items, next, err := s.AuditLog(ctx, access.From(ctx), f)
		return answer(&auditLogOutput{web.NewList(items, next)}, err)
	})
	huma.Register(api, read("/api/audit-entries/{id}", "审计日志详情"), func(ctx context.Context, in *auditEntryInput) (*auditEntryOutput, error) {
		v, err := s.AuditEntry(ctx, access.From(ctx), in.ID)
		return answer(&auditEntryOutput{v}, err)
	})
	huma.Register(api, read("/api/audit-seals", "审计日志封存情况"), func(ctx context.Context, _ *struct{}) (*auditSealsOutput, error) {
		v, err := s.AuditSeals(ctx, access.From(ctx))
		return answer(&auditSealsOutput{LogSeals(v)}, err)
	})
}
