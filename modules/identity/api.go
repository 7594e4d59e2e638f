package identity

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type captchaOutput struct {
	Body struct {
		ID       string `json:"id"`
		ImageURL string `json:"imageUrl"`
		AudioURL string `json:"audioUrl"`
	}
}

type sendCodeInput struct {
	Body struct {
		Phone         string  `json:"phone" maxLength:"40"`
		Purpose       Purpose `json:"purpose" enum:"register,login"`
		CaptchaID     string  `json:"captchaId" maxLength:"64"`
		CaptchaAnswer string  `json:"captchaAnswer" maxLength:"12"`
	}
}

type sendCodeOutput struct {
	Body struct {
		SentTo     string `json:"sentTo"`
		RetryAfter int    `json:"retryAfter" doc:"Seconds until another code may be asked for."`
	}
}

type registerInput struct {
	Body struct {
		Phone       string `json:"phone" maxLength:"40"`
		Code        string `json:"code" maxLength:"12"`
		CompanyName string `json:"companyName" maxLength:"600"`
		ContactName string `json:"contactName" maxLength:"300"`
		Consent     bool   `json:"consent"`
	}
}

type passwordInput struct {
	Body struct {
		Account       string `json:"account" maxLength:"64"`
		Password      string `json:"password" maxLength:"256"`
		CaptchaID     string `json:"captchaId" maxLength:"64"`
		CaptchaAnswer string `json:"captchaAnswer" maxLength:"12"`
	}
}

type passwordOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Next    string `json:"next" enum:"done,second_factor"`
		SentTo  string `json:"sentTo,omitempty"`
		Session *Me    `json:"session,omitempty"`
	}
}

type smsInput struct {
	Body struct {
		Phone string `json:"phone" maxLength:"40"`
		Code  string `json:"code" maxLength:"12"`
	}
}

type secondFactorInput struct {
	Cookie string `cookie:"__Host-huiqi"`
	Body   struct {
		Code string `json:"code" maxLength:"12"`
	}
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type meOutput struct{ Body Me }

type endOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type rolesOutput struct{ Body web.List[RoleView] }

type roleOutput struct{ Body RoleView }

type createRoleInput struct {
	web.Keyed
	Body struct {
		Name        string              `json:"name" maxLength:"300"`
		Party       access.Party        `json:"party" enum:"platform,government,institution"`
		Scope       access.Scope        `json:"scope" enum:"self,department,subtree,district"`
		Permissions []access.Permission `json:"permissions" maxItems:"200"`
	}
}

type editRoleInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"40"`
	Body struct {
		Version     int64               `json:"version"`
		Permissions []access.Permission `json:"permissions" maxItems:"200"`
	}
}

type permissionsOutput struct{ Body web.List[access.Info] }

// API adds the operations and the captcha's picture and sound.
func (s *Service) API(srv *web.Server) {
	api := srv.API
	public := func(method, path, summary, why string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: "身份", Access: access.Public(why)}.Huma()
	}
	huma.Register(api, public("GET", "/api/session", "当前会话", "页面据此显示登录状态"), func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		m, err := s.Me(ctx, access.From(ctx))
		m.CSRFToken = web.CSRF(ctx)
		return &meOutput{m}, err
	})
	huma.Register(api, public("POST", "/api/captchas", "新的图形验证码", "登录注册之前使用"), func(ctx context.Context, _ *struct{}) (*captchaOutput, error) {
		id, err := s.NewCaptcha(ctx)
		out := &captchaOutput{}
		out.Body.ID, out.Body.ImageURL, out.Body.AudioURL = id, "/captcha/"+id+".png", "/captcha/"+id+".wav"
		return out, err
	})
	huma.Register(api, public("POST", "/api/sms-codes", "发送短信验证码", "登录注册之前使用，先过图形验证码并限次"), func(ctx context.Context, in *sendCodeInput) (*sendCodeOutput, error) {
		to, err := s.SendCode(ctx, access.From(ctx), SendCode{in.Body.Phone, in.Body.Purpose, in.Body.CaptchaID, in.Body.CaptchaAnswer})
		out := &sendCodeOutput{}
		out.Body.SentTo, out.Body.RetryAfter = to, 60
		return out, err
	})
	huma.Register(api, public("POST", "/api/registrations", "企业快速注册", "任何人可注册"), func(ctx context.Context, in *registerInput) (*sessionOutput, error) {
		b, err := s.Register(ctx, access.From(ctx), Register{in.Body.Phone, in.Body.Code, in.Body.CompanyName, in.Body.ContactName, in.Body.Consent})
		return s.begun(ctx, b, err)
	})
	huma.Register(api, public("POST", "/api/sessions/sms", "短信验证码登录", "登录"), func(ctx context.Context, in *smsInput) (*sessionOutput, error) {
		b, err := s.SignInBySMS(ctx, access.From(ctx), in.Body.Phone, in.Body.Code)
		return s.begun(ctx, b, err)
	})
	huma.Register(api, public("POST", "/api/sessions/password", "账号密码登录", "登录"), func(ctx context.Context, in *passwordInput) (*passwordOutput, error) {
		b, err := s.SignInByPassword(ctx, access.From(ctx), SignIn{in.Body.Account, in.Body.Password, in.Body.CaptchaID, in.Body.CaptchaAnswer})
		if err != nil {
			return nil, err
		}
		out := &passwordOutput{SetCookie: web.SessionCookie(b.Token, b.Expires)}
		out.Body.Next, out.Body.SentTo = "second_factor", b.SentTo
		if !b.Pending {
			done, err := s.begun(ctx, b, nil)
			if err != nil {
				return nil, err
			}
			out.Body.Next, out.Body.Session = "done", &done.Body
		}
		return out, nil
	})
	huma.Register(api, public("POST", "/api/sessions/second-factor", "短信二次验证", "密码通过之后"), func(ctx context.Context, in *secondFactorInput) (*sessionOutput, error) {
		b, err := s.SecondFactor(ctx, access.From(ctx), in.Cookie, in.Body.Code)
		return s.begun(ctx, b, err)
	})
	huma.Register(api, public("DELETE", "/api/session", "退出登录", "未登录时无事可做"), func(ctx context.Context, _ *struct{}) (*endOutput, error) {
		return &endOutput{web.EndedSessionCookie()}, s.SignOut(ctx, access.From(ctx))
	})
	roles := func(method, path, summary string, any ...access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: "身份", Access: access.Require(append(any, "identity.roles")...)}.Huma()
	}
	huma.Register(api, roles("GET", "/api/roles", "角色列表", "identity.users"), func(ctx context.Context, _ *struct{}) (*rolesOutput, error) {
		list, err := s.Roles(ctx, access.From(ctx))
		return &rolesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, roles("GET", "/api/permissions", "权限清单"), func(context.Context, *struct{}) (*permissionsOutput, error) {
		return &permissionsOutput{web.NewList(s.Deps.Permissions, "")}, nil
	})
	huma.Register(api, roles("POST", "/api/roles", "新建角色"), func(ctx context.Context, in *createRoleInput) (*roleOutput, error) {
		v, err := s.CreateRole(ctx, access.From(ctx), NewRole{in.Key, in.Body.Name, in.Body.Party, in.Body.Scope, in.Body.Permissions})
		return answer(&roleOutput{v}, err)
	})
	huma.Register(api, roles("POST", "/api/roles/{code}/permissions", "修改角色权限"), func(ctx context.Context, in *editRoleInput) (*roleOutput, error) {
		v, err := s.EditRole(ctx, access.From(ctx), EditRole{in.Code, in.Body.Version, in.Key, in.Body.Permissions})
		return answer(&roleOutput{v}, err)
	})
	s.usersAPI(api)
	s.accountAPI(api)
	s.auditAPI(api)
	for suffix, audio := range map[string]bool{".png": false, ".wav": true} {
		mime := "image/png"
		if audio {
			mime = "audio/wav"
		}
		srv.Raw("GET", "/captcha/:id"+suffix, access.Public("登录注册之前显示"), func(c *fiber.Ctx) error {
			b, err := s.Captcha(c.UserContext(), c.Params("id"), audio)
			if err != nil {
				return err
			}
			c.Set(fiber.HeaderContentType, mime)
			c.Set(fiber.HeaderCacheControl, "no-store")
			return c.Send(b)
		})
	}
}

// begun answers a new session: its cookie, and who is signed in now.
func (s *Service) begun(ctx context.Context, b Begun, err error) (*sessionOutput, error) {
	if err != nil {
		return nil, err
	}
	actor, err := s.Authenticate(ctx, b.Token)
	if err != nil {
		return nil, err
	}
	m, err := s.Me(ctx, actor)
	m.CSRFToken, m.Notice = web.CSRFFor(ctx, b.Token), b.Notice
	return &sessionOutput{SetCookie: web.SessionCookie(b.Token, b.Expires), Body: m}, err
}

// answer is out unless something went wrong.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
