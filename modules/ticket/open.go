package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// OpenTicket asks to receive a request. A person of a company may leave ContactName and Phone empty: those of the
// account are taken. An agent gives them, and may name the company of the caller.
type OpenTicket struct {
	Key            string `json:"-"`
	Type           string
	Title          string
	Body           string
	ContactName    string
	Phone          string
	Source         Source  // h5 or portal; an agent's is always agent
	Urgency        Urgency // agents only; empty takes the type's
	EnterpriseID   int64   // agents only
	EnterpriseName string  // agents only, when the company has no account
	FileIDs        []int64
	Sent           string `json:",omitempty"` // as in SupplementTicket
	// Area is the code of the street or town; empty, the words of the request tell it, as far as they do.
	Area string `json:",omitempty"`
	// Fields are the words typed into the own fields of the type, by their keys.
	Fields map[string][]string
	// Then is what the desk does at once, in the same transaction; agents only.
	Then *AtOnce `json:",omitempty"`
	// Within, set by package intake alone, is written with the ticket: its error undoes it. With it Source may be a channel,
	// and the phone may be missing.
	Within func(ctx context.Context, tx bun.Tx, r Kept) error `json:"-"`
}

type opened struct {
	ID     int64  `json:"id"`
	Number string `json:"number"`
}

// Open receives a request from a person of a company, or from an agent with ticket.open on behalf of a caller, and
// returns it with its query code. Visitors get ErrUnauthorized, everybody else ErrForbidden.
func (s *Service) Open(ctx context.Context, actor access.Actor, cmd OpenTicket) (View, error) {
	agent := isDesk(actor) && actor.Can(PermOpen)
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	if !agent && actor.Party != access.Enterprise {
		return View{}, ErrForbidden
	}
	t, phone, err := draft(cmd, agent)
	if err = fault.Merge(err, cmd.Then.check(actor, agent)); err != nil {
		return View{}, err
	}
	now := s.clock.Now()
	var done opened
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "ticket.open", Key: cmd.Key, Request: s.fingerprint(cmd), Now: now,
		}, func() (opened, error) {
			// a repeated transaction starts from the draft
			return s.receive(ctx, tx, actor, now, arrival{ticket: t, area: cmd.Area, phone: phone, fields: cmd.Fields, complete: !cmd.Source.channel(), files: cmd.FileIDs, account: !agent, then: cmd.Then, within: cmd.Within})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("open ticket: %w", err)
	}
	kept, has, err := findToShow(ctx, s.db.Read(), visible(actor), done.ID)
	if err != nil {
		return View{}, err
	}
	v, err := s.view(ctx, s.db.Read(), actor, kept, has)
	if err != nil {
		return v, err
	}
	v.QueryCode = toldCode(s.box, kept.Number, kept.QueryHash)
	return v, nil
}

// arrival is a checked request on its way to being a ticket.
type arrival struct {
	ticket   Ticket
	phone    string
	area     string
	fields   map[string][]string
	complete bool // the form was seen: what it requires must be there
	account  bool // the actor asks for themselves: contact and company come from the account
	files    []int64
	then     *AtOnce                                   // what the desk does at once
	within   func(context.Context, bun.Tx, Kept) error // what is written with it
}

// receive makes the request a ticket, with number, deadline, full text, event, clocks and audit record.
func (s *Service) receive(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, in arrival) (opened, error) {
	t, phone := in.ticket, in.phone
	kind, err := typeOf(ctx, tx, t.Type)
	if errors.Is(err, fault.ErrNotFound) {
		return opened{}, fault.InvalidField("type", "TICKET_TYPE", "请选择诉求类型")
	} else if err != nil {
		return opened{}, err
	}
	if kind.Retired {
		return opened{}, fault.InvalidField("type", "TYPE_RETIRED", "诉求类型“"+kind.Name+"”已停用，请选择其他类型")
	}
	asked, fields, err := formOf(ctx, tx, t.Type)
	if err != nil {
		return opened{}, err
	}
	values, err := form.Fill(fields, in.fields, in.complete)
	if err != nil {
		return opened{}, err
	}
	if in.account {
		err = s.asRequester(ctx, tx, actor, &t, &phone)
	} else if t.EnterpriseID != 0 {
		t.EnterpriseName, err = s.requesters.EnterpriseName(ctx, tx, t.EnterpriseID)
	}
	if err != nil {
		return opened{}, err
	}
	if t.Area, err = s.area(in.area, t.Title, t.Body, openWords(fields, values)); err != nil {
		return opened{}, err
	}
	if t.Number, err = number(ctx, tx, now); err != nil {
		return opened{}, err
	}
	if t.Urgency == "" {
		t.Urgency = kind.Urgency
	}
	limits, err := s.clockRules(ctx, tx)
	if err != nil {
		return opened{}, err
	}
	t.Status, t.Version, t.CreatedAt, t.DueAt = Received, 1, now, limits.due(t.Type, t.Urgency, PublicClock, now)
	t.OpenedBy, t.MovedAt = actor.UserID, now
	s.keep(&t, phone)
	if err := database.Insert(ctx, tx, &t); err != nil {
		return opened{}, fmt.Errorf("insert ticket: %w", err)
	}
	words, err := s.keepFields(ctx, tx, t.ID, asked, fields, values)
	if err != nil {
		return opened{}, err
	}
	if err := fullText.Put(ctx, tx, t.doc(words)); err != nil {
		return opened{}, err
	}
	fact := Opened{Head: t.head(), Source: t.Source, EnterpriseName: t.EnterpriseName}
	kept, err := event.Append(ctx, tx, actor, now, fact)
	if err != nil {
		return opened{}, err
	}
	if err := s.foldClocks(ctx, tx, limits, now, &t, fact, false); err != nil {
		return opened{}, err
	}
	if err := s.claim(ctx, tx, actor, t.ID, kept.Seq, "open", in.files); err != nil {
		return opened{}, err
	}
	if in.within != nil {
		if err := in.within(ctx, tx, Kept{ID: t.ID, Number: t.Number, QueryCode: s.queryCode(t.Number), DueAt: t.DueAt.UTC()}); err != nil {
			return opened{}, err
		}
	}
	if err := audit.Write(ctx, tx, actor, now, openRecord(&t)); err != nil {
		return opened{}, err
	}
	return opened{ID: t.ID, Number: t.Number}, s.then(ctx, tx, actor, now, &t, in.then)
}

// keep puts in what is kept under our key: the phone, and the code with which a caller asks how a ticket stands.
func (s *Service) keep(t *Ticket, phone string) {
	t.QueryHash = s.box.HashToken(t.Number + ":" + s.queryCode(t.Number))
	t.PhoneSealed = s.box.Seal([]byte(phone), phonePlace(t.Number))
	t.PhoneBlind, t.PhoneTail = s.box.Blind("phone", phone), s.box.BlindTail(phone)
}

// draft checks what was typed.
func draft(cmd OpenTicket, agent bool) (Ticket, string, error) {
	var errs []error
	take := func(field, label, value string, longest int, needed bool) string {
		v, err := clean(field, label, value, longest, needed)
		if err != nil {
			errs = append(errs, err)
		}
		return v
	}
	longest := maxBody
	if cmd.Within != nil && cmd.Source.channel() {
		longest = maxBrought
	}
	t := Ticket{
		Type:          strings.TrimSpace(cmd.Type),
		Title:         take("title", "标题", cmd.Title, maxTitle, true),
		Body:          take("body", "诉求内容", cmd.Body, longest, true),
		RequesterName: take("contactName", "联系人", cmd.ContactName, maxName, agent),
		Source:        cmd.Source,
	}
	if t.Type == "" {
		errs = append(errs, fault.InvalidField("type", "TICKET_TYPE", "请选择诉求类型"))
	}
	phone := ""
	brought := cmd.Within != nil && cmd.Source.channel()
	if agent && !brought || strings.TrimSpace(cmd.Phone) != "" {
		var err error
		if phone, err = telephone("phone", cmd.Phone); err != nil {
			errs = append(errs, err)
		}
	}
	if agent {
		if !brought {
			t.Source = FromAgent
		}
		t.EnterpriseID = cmd.EnterpriseID
		t.EnterpriseName = take("enterpriseName", "企业名称", cmd.EnterpriseName, maxFirm, false)
		t.Urgency = cmd.Urgency
		if t.Urgency != "" && !t.Urgency.Known() {
			errs = append(errs, fault.InvalidField("urgency", "TICKET_URGENCY", "请选择紧急程度"))
		}
	} else if t.Source != FromH5 && t.Source != FromPortal && !brought {
		errs = append(errs, fault.InvalidField("source", "TICKET_SOURCE", "请从企业端页面提交诉求"))
	}
	return t, phone, fault.Merge(errs...)
}

// asRequester fills in who asks from the account.
func (s *Service) asRequester(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, phone *string) error {
	t.UserID, t.EnterpriseID = actor.UserID, actor.EnterpriseID
	if actor.EnterpriseID != 0 {
		name, err := s.requesters.EnterpriseName(ctx, tx, actor.EnterpriseID)
		if err != nil {
			return err
		}
		t.EnterpriseName = name
	}
	if t.RequesterName != "" && *phone != "" {
		return nil
	}
	c, err := s.requesters.Contact(ctx, tx, actor.UserID)
	if err != nil {
		return err
	}
	if t.RequesterName == "" {
		t.RequesterName = c.Name
	}
	if *phone == "" {
		*phone, err = telephone("phone", c.Phone)
	}
	return err
}

// fingerprint is what must be equal when the key comes again; the phone goes in as its keyed hash, and so do the own fields,
// which may be personal.
func (s *Service) fingerprint(cmd OpenTicket) OpenTicket {
	cmd.Phone = s.box.Blind("phone", cmd.Phone)
	if cmd.Sent != "" {
		cmd.FileIDs = nil
	}
	if len(cmd.Fields) > 0 {
		words := []string{}
		for _, key := range slices.Sorted(maps.Keys(cmd.Fields)) {
			words = append(words, key, strings.Join(cmd.Fields[key], "\n"))
		}
		cmd.Fields = map[string][]string{"": {s.box.MAC("ticket.fields", words...)}}
	}
	return cmd
}

// queryCode is the six digits with which somebody without an account asks how a ticket stands. They follow from the
// number and our key, so that a repeated submission answers with the same code and none is kept in clear.
func (s *Service) queryCode(number string) string {
	return digits(s.box.MAC("ticket.query", number))
}

func digits(mac string) string {
	n := uint64(0)
	for _, c := range []byte(mac)[:16] {
		n = n*131 + uint64(c)
	}
	return fmt.Sprintf("%06d", n%1_000_000)
}
