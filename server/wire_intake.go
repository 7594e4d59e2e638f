package server

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/mail"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/seed/reference"
)

// openIntake makes the ways in where no page of ours is, and has them hear of what becomes of tickets. The desk and the people
// are asked when something comes, so they may be made after it.
func (h *house) openIntake(c Config, p parts, w *jobs.Workers) {
	host := ""
	if u, err := url.Parse(c.PublicURL); err == nil {
		host = u.Hostname()
	}
	d := intake.Deps{
		DB: h.db, Clock: p.clock, Box: h.box, Log: p.log, Desk: intakeDesk{h}, Files: intakeFiles{h.uploads}, Accounts: intakeAccounts{h}, Fields: intakeForms{h},
		District: c.District, PublicURL: hostOf(c.PublicURL), Jurisdiction: host, Test: c.Demo, Address: p.mailAddress,
	}
	if p.wechat != nil {
		d.Wechat = followers{p.wechat}
	}
	if p.mailer != nil {
		d.Mailer = letters{p.mailer}
	}
	if p.mailbox != nil {
		d.Mailbox = mailbox{p.mailbox}
	}
	h.intake = intake.New(d)
	h.intake.Work(w)
	h.listeners = append(h.listeners, event.Listener{Name: "intake.requests", Handle: h.followTicket})
	h.sees[intake.MessageObject] = h.intake.SeesMessage
}

// routeIntake adds the addresses that others call.
func (h *house) routeIntake(p parts, pages *web.Pages) error {
	intake.Register(h.web.API, h.intake)
	if err := h.intake.Pages(h.web, pages); err != nil {
		return err
	}
	h.intake.Routes(h.web)
	if p.wechat == nil {
		return nil
	}
	rule := access.Public("微信公众号的回调，凭微信的签名")
	h.web.Raw("GET", "/callback/wechat", rule, func(c *fiber.Ctx) error {
		echo, err := p.wechat.VerifyURL(queryOf(c))
		if err != nil {
			return errCallback.Wrap(err)
		}
		return c.SendString(echo)
	})
	h.web.Raw("POST", "/callback/wechat", rule, func(c *fiber.Ctx) error { return h.hearWechat(c, p) })
	return nil
}

var errCallback = fault.New(fault.Forbidden, "WECHAT_CALLBACK", "回调没有通过验证")

func queryOf(c *fiber.Ctx) url.Values {
	q, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return url.Values{}
	}
	return q
}

// hearWechat takes a callback and answers it in the same breath. One that WeChat did not sign learns nothing.
func (h *house) hearWechat(c *fiber.Ctx, p parts) error {
	e, err := p.wechat.Receive(queryOf(c), c.Body())
	if err != nil {
		p.log.Warn("a callback of WeChat was turned away", "error", err, "ip", c.IP())
		return errCallback.Wrap(err)
	}
	n, ok := noteOf(e)
	if !ok {
		return c.SendString("success")
	}
	answer, err := h.intake.Answer(c.UserContext(), n)
	if err != nil {
		return err // no success: WeChat sends it again
	}
	if answer == "" {
		return c.SendString("success")
	}
	body, err := p.wechat.Reply(e, answer)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	return c.Send(body)
}

// noteOf is what a callback says to intake; false for what concerns it not.
func noteOf(e wechat.Event) (intake.Note, bool) {
	n := intake.Note{Key: e.Key, OpenID: e.OpenID, Text: e.Content, MediaID: e.MediaID, Lat: e.Lat, Long: e.Long}
	switch e.Kind {
	case wechat.Text:
		n.Kind = intake.Said
	case wechat.Voice:
		if n.Kind = intake.Said; strings.TrimSpace(e.Content) == "" {
			n.Kind = intake.Mumbled
		}
	case wechat.Image:
		n.Kind = intake.Picture
	case wechat.Location:
		n.Kind = intake.Place
	case wechat.Click:
		n.Kind, n.Text = intake.Pressed, e.MenuKey
	case wechat.Subscribe:
		n.Kind = intake.Followed
	case wechat.Unsubscribe, wechat.Scan, "VIEW", "TEMPLATESENDJOBFINISH":
		return n, false
	default:
		if !strings.HasPrefix(e.Key, "msg:") { // events of other kinds are nobody's words
			return n, false
		}
	}
	return n, true
}

// followTicket keeps what the outside may read of a ticket equal to it.
func (h *house) followTicket(ctx context.Context, tx bun.Tx, e event.Event) error {
	if e.Object != ticket.Object {
		return nil
	}
	var f ticket.Head
	if err := e.Decode(&f); err != nil {
		return err
	}
	c := intake.TicketChange{ID: e.ObjectID, Number: f.Number, Status: string(f.Status), UnitName: f.UnitName, DueAt: f.DueAt, At: e.At}
	if e.Type == "ticket.confided" {
		var f ticket.Confided
		if err := e.Decode(&f); err != nil {
			return err
		}
		secret := f.Level > 0
		c.Secret = &secret
	}
	return h.intake.Follow(ctx, tx, c)
}

// intakeDesk is the desk for intake.
type intakeDesk struct{ h *house }

var _ intake.Desk = intakeDesk{}

var sourceOf = map[intake.Channel]ticket.Source{intake.Open311: ticket.FromOpen311, intake.Wechat: ticket.FromWechat, intake.Mail: ticket.FromMail}

// Open opens a ticket together with what belongs to it.
func (d intakeDesk) Open(ctx context.Context, actor access.Actor, f intake.Filing) error {
	_, err := d.h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: f.Type, Title: f.Title, Body: f.Body, ContactName: f.ContactName, Phone: f.Phone,
		EnterpriseName: f.EnterpriseName, FileIDs: f.FileIDs, Source: sourceOf[f.Channel],
		Within: func(ctx context.Context, tx bun.Tx, r ticket.Kept) error { return f.Within(ctx, tx, intake.Filed(r)) }})
	return err
}

// Matters lists the types with the widest group each stands in.
func (d intakeDesk) Matters(ctx context.Context) ([]intake.Matter, error) {
	tree, err := reference.TicketTypes()
	if err != nil {
		return nil, err
	}
	types, err := d.h.tickets.Types(ctx, access.SystemActor("intake"))
	if err != nil {
		return nil, err
	}
	groups := map[string]string{}
	for _, t := range tree.Types {
		if strings.HasSuffix(t.Code, "0000") {
			groups[t.Code[:2]] = t.Name
		}
	}
	out := make([]intake.Matter, 0, len(types))
	for _, t := range types {
		group := groups[t.Code[:min(2, len(t.Code))]]
		if group == "" {
			group = "其他"
		}
		out = append(out, intake.Matter{Code: t.Code, Name: t.Name, Group: group})
	}
	return out, nil
}

// ByCode tells how a ticket stands.
func (d intakeDesk) ByCode(ctx context.Context, who, number, code string) (intake.Told, error) {
	v, err := d.h.tickets.ByCode(ctx, access.SystemActor("intake"), who, number, code)
	if errors.Is(err, ticket.ErrQueryWrong) {
		err = fault.ErrNotFound
	}
	return intake.Told{Number: v.Number, Status: v.StatusName, TypeName: v.TypeName, UnitName: v.UnitName, Reply: v.Reply, At: v.CreatedAt, DueAt: v.DueAt, Ended: v.ClosedAt != nil}, err
}

// Numbered finds a ticket the actor sees.
func (d intakeDesk) Numbered(ctx context.Context, actor access.Actor, number string) (int64, error) {
	p, err := d.h.tickets.Page(ctx, actor, ticket.ListFilter{Query: number, Limit: 1})
	if err != nil {
		return 0, err
	}
	if len(p.Items) == 0 || p.Items[0].Number != strings.ToUpper(number) {
		return 0, fault.ErrNotFound
	}
	return p.Items[0].ID, nil
}

// Hear puts further words on the timeline of a ticket.
func (d intakeDesk) Hear(ctx context.Context, tx bun.Tx, ticketID int64, c intake.Channel, text string) error {
	return d.h.tickets.Hear(ctx, tx, access.SystemActor(string(c)), ticketID, sourceOf[c], text)
}

// intakeFiles keeps attachments for intake.
type intakeFiles struct{ *file.Service }

var _ intake.Files = intakeFiles{}

// Save keeps one as an attachment.
func (f intakeFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (intake.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return intake.FileView(v), err
}

// Of lists the files of an object.
func (f intakeFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]intake.FileView, error) {
	views, err := f.Service.Of(ctx, db, object, id)
	list := make([]intake.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, intake.FileView(v))
	}
	return list, err
}

// intakeAccounts knows whose WeChat account it is.
type intakeAccounts struct{ h *house }

var _ intake.Accounts = intakeAccounts{}

// ByOpenID finds the person.
func (a intakeAccounts) ByOpenID(ctx context.Context, openID string) (access.Actor, error) {
	return a.h.identity.ByOpenID(ctx, openID)
}

// followers lets intake speak to followers of the account.
type followers struct{ client *wechat.Client }

var _ intake.WechatLine = followers{}

// Tell sends a customer-service message.
func (f followers) Tell(ctx context.Context, openID, text string) (bool, error) {
	err := f.client.SendText(ctx, openID, text)
	var refused *wechat.Refused
	return errors.As(err, &refused) && refused.Permanent, err
}

// Media fetches what somebody sent.
func (f followers) Media(ctx context.Context, id string) (string, []byte, error) {
	return f.client.Media(ctx, id)
}

// letters lets intake write mail.
type letters struct{ client *mail.Client }

var _ intake.Mailer = letters{}

// Send hands the letter to the mail server.
func (l letters) Send(ctx context.Context, m intake.Letter) (intake.Fate, error) {
	err := l.client.Send(ctx, mail.Message{ID: m.ID, To: m.To, Subject: m.Subject, Text: m.Text, InReplyTo: m.ReplyTo})
	var refused *mail.Refused
	switch {
	case err == nil:
		return intake.Taken, nil
	case errors.As(err, &refused) && refused.Permanent:
		return intake.Refused, err
	case errors.As(err, &refused), errors.Is(err, mail.ErrNotSent):
		return intake.NotSent, err
	}
	return intake.Unknown, err
}

// mailbox lets intake read mail.
type mailbox struct{ box *mail.Box }

var _ intake.Mailbox = mailbox{}

// Since reads and parses what is new.
func (m mailbox) Since(ctx context.Context, validity, after int64, limit int) ([]intake.Incoming, int64, error) {
	list, now, err := m.box.Since(ctx, validity, after, limit)
	if err != nil {
		return nil, 0, err
	}
	out := make([]intake.Incoming, 0, len(list))
	for _, raw := range list {
		p := mail.Parse(raw.Bytes)
		in := intake.Incoming{UID: raw.UID, MessageID: p.MessageID, References: p.References, From: p.From, Name: p.Name, To: p.To, Subject: p.Subject, Text: p.Text,
			Machine: p.Machine, Trouble: p.Trouble}
		if raw.Cut {
			in.Trouble = "邮件超过 25 MB，只读取了标题"
		}
		for _, f := range p.Files {
			in.Files = append(in.Files, intake.Upload(f))
		}
		out = append(out, in)
	}
	return out, now, nil
}

// connectMail makes the two sides of the mailbox.
func (o *outside) connectMail(c Mail) error {
	if c.Address == "" {
		return nil
	}
	var err error
	o.mailAddress = c.Address
	if o.mailer, err = mail.New(mail.Config{Host: c.SMTP.Host, Port: c.SMTP.Port, Username: c.SMTP.Username, Password: c.SMTP.Password, From: c.Address, TLS: c.SMTP.TLS}); err != nil {
		return configErrorf("%v", err)
	}
	if o.mailbox, err = mail.NewBox(mail.BoxConfig{Host: c.IMAP.Host, Port: c.IMAP.Port, Username: c.IMAP.Username, Password: c.IMAP.Password, TLS: c.IMAP.TLS}); err != nil {
		return configErrorf("%v", err)
	}
	return nil
}

// intakeForms tells partners what the form of a type asks. What is personal is not asked of them: their answers go into the text.
type intakeForms struct{ h *house }

var _ intake.Fields = intakeForms{}

// Fields lists the questions of a type in the words of Open311.
func (f intakeForms) Fields(ctx context.Context, code string) ([]intake.Field, error) {
	types, err := f.h.tickets.Types(ctx, access.SystemActor("intake"))
	if err != nil {
		return nil, err
	}
	var out []intake.Field
	for _, t := range types {
		if t.Code != code {
			continue
		}
		for _, field := range t.Fields {
			if field.Personal || field.Kind == ticket.PhoneField {
				continue
			}
			q := intake.Field{Code: field.Key, Label: field.Label, Hint: field.Help, Required: field.Required, Kind: "string"}
			switch field.Kind {
			case ticket.NumberField:
				q.Kind = "number"
			case ticket.DateField:
				q.Kind = "datetime"
			case ticket.ChoiceField:
				q.Kind = "singlevaluelist"
			case ticket.ChoicesField:
				q.Kind = "multivaluelist"
			case ticket.YesNoField:
				q.Kind, q.Values = "singlevaluelist", []intake.Choice{{Key: "yes", Name: "是"}, {Key: "no", Name: "否"}}
			}
			for _, o := range field.Options {
				q.Values = append(q.Values, intake.Choice{Key: o, Name: o})
			}
			out = append(out, q)
		}
	}
	return out, nil
}
