package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Standing is where a company stands with a purpose.
type Standing string

// The standings.
const (
	NoText     Standing = "no_text"     // nothing has been published to agree to
	Open       Standing = "open"        // never agreed
	Holds      Standing = "granted"     // agreed to the version in force
	OldHolds   Standing = "old_holds"   // agreed to an earlier version, which holds on
	OldVoid    Standing = "old_void"    // agreed to an earlier version, which a material change ended
	Expired    Standing = "expired"     // agreed, and the date is past
	WasRevoked Standing = "was_revoked" // agreed, and revoked
)

// Word is the standing in Chinese.
func (s Standing) Word() string {
	return map[Standing]string{
		NoText: "授权书未发布", Open: "未授权", Holds: "已授权", OldHolds: "按旧版本授权，仍然有效", OldVoid: "按旧版本授权，须重新授权",
		Expired: "授权已到期", WasRevoked: "已撤回授权",
	}[s]
}

// TextView is a version in words.
type TextView struct {
	ID          int64      `json:"id"`
	Purpose     string     `json:"purpose"`
	PurposeName string     `json:"purposeName"`
	No          int        `json:"no"`
	State       string     `json:"state" enum:"draft,published,discarded"`
	InForce     bool       `json:"inForce" doc:"Whether it is the version companies are asked for now."`
	Title       string     `json:"title"`
	Body        string     `json:"body"`
	Groups      []string   `json:"groups"`
	GroupNames  []string   `json:"groupNames"`
	Days        int        `json:"days" doc:"How long a grant lasts; 0 until revoked."`
	Material    bool       `json:"material" doc:"Whether grants of earlier versions end with it."`
	Document    string     `json:"document" doc:"The exact words; of a draft as they would be."`
	Digest      string     `json:"digest" doc:"SM3 over the UTF-8 of document, hexadecimal; empty for a draft."`
	From        *time.Time `json:"from,omitempty"`
	Version     int64      `json:"version"`
	Author      string     `json:"author"`
	Publisher   string     `json:"publisher"`
	CreatedAt   time.Time  `json:"createdAt"`
	PublishedAt *time.Time `json:"publishedAt,omitempty"`
	CanEdit     bool       `json:"canEdit"`
	CanPublish  bool       `json:"canPublish"`
}

// GrantView is a grant in words. Addresses and full names are for the company's own people and for staff.
type GrantView struct {
	ID             int64      `json:"id"`
	EnterpriseID   int64      `json:"enterpriseId"`
	EnterpriseName string     `json:"enterpriseName,omitempty"`
	Purpose        string     `json:"purpose"`
	PurposeName    string     `json:"purposeName"`
	TextID         int64      `json:"textId"`
	TextNo         int        `json:"textNo"`
	Digest         string     `json:"digest"`
	GrantedAt      time.Time  `json:"grantedAt"`
	GrantedName    string     `json:"grantedName"`
	Channel        string     `json:"channel"`
	IP             string     `json:"ip"`
	Until          *time.Time `json:"until,omitempty"`
	EndedAt        *time.Time `json:"endedAt,omitempty"`
	Ended          string     `json:"ended" enum:",revoked,renewed"`
	EndedName      string     `json:"endedName,omitempty"`
	EndedChannel   string     `json:"endedChannel,omitempty"`
	EndedIP        string     `json:"endedIp,omitempty"`
	Reason         string     `json:"reason,omitempty"`
	Standing       Standing   `json:"standing" enum:"granted,old_holds,old_void,expired,was_revoked"`
	Word           string     `json:"word"`
	Holds          bool       `json:"holds"`
}

// Asked is one purpose as a company is asked for it.
type Asked struct {
	Purpose
	Standing Standing   `json:"standing" enum:"no_text,open,granted,old_holds,old_void,expired,was_revoked"`
	Word     string     `json:"word"`
	Holds    bool       `json:"holds" doc:"Whether data may be used for it now."`
	Text     *TextView  `json:"text,omitempty"`
	Grant    *GrantView `json:"grant,omitempty"` // the last one
	MayGive  bool       `json:"mayGive"`
	MayEnd   bool       `json:"mayEnd"`
}

// Mine is all a company's people see of its consents.
type Mine struct {
	Items   []Asked     `json:"items"`
	History []GrantView `json:"history"`
	// WhyNot says why the person may not sign, empty when they may.
	WhyNot string `json:"whyNot,omitempty"`
	Open   int    `json:"open" doc:"How many purposes wait for an answer."`
}

// AccessView is one reading in words. The company's people see the reader's name masked.
type AccessView struct {
	ID          int64     `json:"id"`
	At          time.Time `json:"at"`
	Purpose     string    `json:"purpose"`
	PurposeName string    `json:"purposeName"`
	What        string    `json:"what"`
	GroupNames  []string  `json:"groupNames"`
	Allowed     bool      `json:"allowed"`
	GrantID     int64     `json:"grantId,omitempty"`
	Basis       string    `json:"basis,omitempty"`
	BasisName   string    `json:"basisName"` // 企业授权 when it rests on consent
	Why         string    `json:"why,omitempty"`
	ReaderName  string    `json:"readerName"`
	Unit        string    `json:"unit"`
	Roles       string    `json:"roles"`
	IP          string    `json:"ip,omitempty"`
}

// BasisView is a basis in words.
type BasisView struct {
	Code      string    `json:"code"`
	Name      string    `json:"name"`
	Law       string    `json:"law"`
	Roles     []string  `json:"roles"`
	Purposes  []string  `json:"purposes"`
	Groups    []string  `json:"groups"`
	Active    bool      `json:"active"`
	Version   int64     `json:"version"`
	ChangedBy string    `json:"changedBy"`
	ChangedAt time.Time `json:"changedAt"`
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func (s *Service) textView(t *Text, current int64, a access.Actor) TextView {
	p, _ := PurposeOf(t.Purpose)
	v := TextView{ID: t.ID, Purpose: t.Purpose, PurposeName: p.Name, No: t.No, State: t.State, InForce: t.ID == current, Title: t.Title, Body: t.Body,
		Groups: t.Groups, GroupNames: s.groupNames(t.Groups), Days: t.Days, Material: t.Material, Document: t.Document, Digest: t.Digest, From: utc(t.From),
		Version: t.Version, Author: t.Author, Publisher: t.Publisher, CreatedAt: t.CreatedAt.UTC(), PublishedAt: utc(t.PublishedAt)}
	if t.State == Draft {
		v.Document = t.document(s.groups)
		v.CanEdit = a.Can(PermEdit)
		trial := *t
		v.CanPublish = a.Can(PermPublish) && trial.publish(a, t.CreatedAt, t.CreatedAt, 1, s.groups) == nil
	}
	return v
}

// rules are what judges grants of a purpose now.
type rules struct {
	text  *Text // in force; nil without one
	floor int
}

func (s *Service) rules(ctx context.Context, db bun.IDB, purpose string, now time.Time) (rules, error) {
	t, err := inForce(ctx, db, purpose, now)
	if fault.KindOf(err) == fault.NotFound {
		return rules{}, nil
	}
	if err != nil {
		return rules{}, err
	}
	n, err := floor(ctx, db, purpose, now)
	return rules{t, n}, err
}

// standing judges a grant.
func (r rules) standing(g *Grant, now time.Time) Standing {
	switch {
	case g.Ended == ByRevoking:
		return WasRevoked
	case g.Until != nil && !g.Until.After(now):
		return Expired
	case g.TextNo < r.floor:
		return OldVoid
	case r.text != nil && g.TextID != r.text.ID:
		return OldHolds
	}
	return Holds
}

func grantView(g *Grant, r rules, now time.Time) GrantView {
	p, _ := PurposeOf(g.Purpose)
	v := GrantView{ID: g.ID, EnterpriseID: g.EnterpriseID, Purpose: g.Purpose, PurposeName: p.Name, TextID: g.TextID, TextNo: g.TextNo, Digest: g.Digest,
		GrantedAt: g.GrantedAt.UTC(), GrantedName: g.GrantedName, Channel: channels[g.Channel], IP: g.IP, Until: utc(g.Until), EndedAt: utc(g.EndedAt), Ended: g.Ended,
		EndedName: g.EndedName, EndedChannel: channels[g.EndedChannel], EndedIP: g.EndedIP, Reason: g.Reason, Standing: r.standing(g, now)}
	v.Word, v.Holds = v.Standing.Word(), g.stands(now, r.floor)
	if g.Ended == ByRenewing {
		v.Word = "已由新的授权替代"
	}
	return v
}

// ask tells how one company stands with one purpose.
func (s *Service) ask(ctx context.Context, db bun.IDB, a access.Actor, enterpriseID int64, p Purpose) (Asked, error) {
	now := s.clock.Now()
	r, err := s.rules(ctx, db, p.Code, now)
	if err != nil {
		return Asked{}, err
	}
	out := Asked{Purpose: p, Standing: Open}
	if r.text == nil {
		out.Standing = NoText
	} else {
		v := s.textView(r.text, r.text.ID, a)
		out.Text = &v
	}
	g := new(Grant)
	err = database.Found(db.NewSelect().Model(g).Where("g.purpose = ? AND g.enterprise_id = ?", p.Code, enterpriseID).OrderExpr("g.id DESC").Limit(1).Scan(ctx))
	switch {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return Asked{}, err
	default:
		v := grantView(g, r, now)
		out.Standing, out.Grant, out.Holds = v.Standing, &v, v.Holds
	}
	out.Word = out.Standing.Word()
	out.MayGive = out.Text != nil && out.Standing != Holds
	out.MayEnd = out.Grant != nil && out.Grant.EndedAt == nil
	return out, nil
}

func (s *Service) asked(ctx context.Context, actor access.Actor, purpose string) (Asked, error) {
	p, _ := PurposeOf(purpose)
	return s.ask(ctx, s.db.Read(), actor, actor.EnterpriseID, p)
}

// Mine tells the company's people what it is asked for, what it agreed to, and what was before.
func (s *Service) Mine(ctx context.Context, actor access.Actor) (Mine, error) {
	if err := mine(actor); err != nil {
		return Mine{}, err
	}
	db := s.db.Read()
	if err := s.companies.Visible(ctx, db, actor, actor.EnterpriseID); err != nil {
		return Mine{}, err
	}
	m, err := s.state(ctx, db, actor, actor.EnterpriseID)
	if err != nil {
		return Mine{}, err
	}
	err = s.companies.MaySign(ctx, db, actor.EnterpriseID, actor.UserID)
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
		m.WhyNot = f.Message
		for i := range m.Items {
			m.Items[i].MayGive, m.Items[i].MayEnd = false, false
		}
	} else if err != nil {
		return Mine{}, err
	}
	for _, a := range m.Items {
		if a.MayGive && a.Standing != WasRevoked {
			m.Open++
		}
	}
	return m, nil
}

func (s *Service) state(ctx context.Context, db bun.IDB, actor access.Actor, enterpriseID int64) (Mine, error) {
	m := Mine{Items: []Asked{}, History: []GrantView{}}
	by := map[string]rules{}
	now := s.clock.Now()
	for _, p := range Purposes() {
		a, err := s.ask(ctx, db, actor, enterpriseID, p)
		if err != nil {
			return Mine{}, err
		}
		if by[p.Code], err = s.rules(ctx, db, p.Code, now); err != nil {
			return Mine{}, err
		}
		m.Items = append(m.Items, a)
	}
	var rows []Grant
	if err := db.NewSelect().Model(&rows).Where("g.enterprise_id = ?", enterpriseID).OrderExpr("g.id DESC").Limit(100).Scan(ctx); err != nil {
		return Mine{}, err
	}
	for i := range rows {
		m.History = append(m.History, grantView(&rows[i], by[rows[i].Purpose], now))
	}
	return m, nil
}

// Of tells staff how one company stands. It needs consent.view.
func (s *Service) Of(ctx context.Context, actor access.Actor, enterpriseID int64) (Mine, error) {
	if err := need(actor, PermView); err != nil {
		return Mine{}, err
	}
	db := s.db.Read()
	if err := s.companies.Visible(ctx, db, actor, enterpriseID); err != nil {
		return Mine{}, err
	}
	m, err := s.state(ctx, db, actor, enterpriseID)
	for i := range m.Items {
		m.Items[i].MayGive, m.Items[i].MayEnd = false, false
	}
	return m, err
}

// Accesses returns a page of who read a company's data, newest first: to its own people, and to staff with consent.view.
func (s *Service) Accesses(ctx context.Context, actor access.Actor, enterpriseID int64, cursor string, limit int) ([]AccessView, string, error) {
	own := mine(actor) == nil && actor.EnterpriseID == enterpriseID
	if !own {
		if err := need(actor, PermView); err != nil {
			return nil, "", err
		}
	}
	before, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	db := s.db.Read()
	if err := s.companies.Visible(ctx, db, actor, enterpriseID); err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	var rows []Access
	q := db.NewSelect().Model(&rows).Where("a.enterprise_id = ?", enterpriseID).OrderExpr("a.id DESC").Limit(int64(limit + 1))
	if before > 0 {
		q = q.Where("a.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(a Access) int64 { return a.ID })
	out := make([]AccessView, 0, len(rows))
	for _, a := range rows {
		p, _ := PurposeOf(a.Purpose)
		v := AccessView{ID: a.ID, At: a.At.UTC(), Purpose: a.Purpose, PurposeName: p.Name, What: a.What, GroupNames: s.groupNames(a.Groups), Allowed: a.Allowed,
			GrantID: a.GrantID, Basis: a.Basis, BasisName: a.BasisName, Why: a.Why, ReaderName: a.ReaderName, Unit: a.Unit, Roles: a.Roles, IP: a.IP}
		if a.Allowed && a.Basis == "" {
			v.BasisName = "企业授权"
		}
		if own {
			v.ReaderName, v.IP = text.MaskName(a.ReaderName), ""
		}
		out = append(out, v)
	}
	return out, next, nil
}

// GrantFilter narrows the list of grants.
type GrantFilter struct {
	Purpose string
	// Standing leaves those that hold now, or those that ended by revoking; "" is all.
	Standing string
	Cursor   string
	Limit    int
}

// Grants returns a page of the grants of a purpose, newest first. It needs consent.view.
func (s *Service) Grants(ctx context.Context, actor access.Actor, f GrantFilter) ([]GrantView, string, error) {
	if err := need(actor, PermView); err != nil {
		return nil, "", err
	}
	if _, ok := PurposeOf(f.Purpose); !ok {
		return nil, "", ErrPurpose
	}
	before, err := cursorOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	db, now, limit := s.db.Read(), s.clock.Now(), limitOf(f.Limit)
	r, err := s.rules(ctx, db, f.Purpose, now)
	if err != nil {
		return nil, "", err
	}
	var rows []Grant
	q := db.NewSelect().Model(&rows).Where("g.purpose = ?", f.Purpose).OrderExpr("g.id DESC").Limit(int64(limit + 1))
	switch f.Standing {
	case "":
	case "holds":
		q = q.Where("g.ended_at IS NULL AND (g.until IS NULL OR g.until > ?) AND g.text_no >= ?", now, max(r.floor, 1))
	case "revoked":
		q = q.Where("g.ended = ?", ByRevoking)
	default:
		return nil, "", fault.InvalidField("standing", "CONSENT_STANDING", "没有这种授权状态，请重新选择")
	}
	if before > 0 {
		q = q.Where("g.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(g Grant) int64 { return g.ID })
	ids := make([]int64, 0, len(rows))
	for _, g := range rows {
		ids = append(ids, g.EnterpriseID)
	}
	named, err := s.companies.Names(ctx, db, ids)
	if err != nil {
		return nil, "", fmt.Errorf("names of companies: %w", err)
	}
	out := make([]GrantView, 0, len(rows))
	for i := range rows {
		v := grantView(&rows[i], r, now)
		v.EnterpriseName = named[v.EnterpriseID]
		out = append(out, v)
	}
	return out, next, nil
}

// Text returns one version, for staff with a right of the module.
func (s *Service) Text(ctx context.Context, actor access.Actor, id int64) (TextView, error) {
	if err := need(actor, PermView, PermEdit, PermPublish); err != nil {
		return TextView{}, err
	}
	db := s.db.Read()
	t, err := findText(ctx, db, id)
	if err != nil {
		return TextView{}, err
	}
	r, err := s.rules(ctx, db, t.Purpose, s.clock.Now())
	return s.textView(t, r.current(), actor), err
}

func (r rules) current() int64 {
	if r.text == nil {
		return 0
	}
	return r.text.ID
}

// Texts lists the versions of all purposes, drafts first, then the newest of each purpose, at most 200.
func (s *Service) Texts(ctx context.Context, actor access.Actor) ([]TextView, error) {
	if err := need(actor, PermView, PermEdit, PermPublish); err != nil {
		return nil, err
	}
	db, now := s.db.Read(), s.clock.Now()
	out := []TextView{}
	for _, p := range Purposes() {
		r, err := s.rules(ctx, db, p.Code, now)
		if err != nil {
			return nil, err
		}
		var rows []Text
		err = db.NewSelect().Model(&rows).Where("t.purpose = ? AND t.state <> ?", p.Code, Discarded).OrderExpr("CASE WHEN t.no = 0 THEN 1 ELSE 0 END DESC, t.no DESC").Limit(50).Scan(ctx)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			out = append(out, s.textView(&rows[i], r.current(), actor))
		}
	}
	return out, nil
}

// Bases lists what readers may rest on besides consent.
func (s *Service) Bases(ctx context.Context, actor access.Actor) ([]BasisView, error) {
	if err := need(actor, PermView, PermEdit, PermPublish); err != nil {
		return nil, err
	}
	var rows []Basis
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("b.code").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]BasisView, 0, len(rows))
	for _, b := range rows {
		out = append(out, BasisView{b.Code, b.Name, b.Law, b.Roles, b.Purposes, b.Groups, b.Active, b.Version, b.ByName, b.At.UTC()})
	}
	return out, nil
}

// Words are what the back office's forms offer to choose from.
type Words struct {
	Purposes []Purpose `json:"purposes"`
	Groups   []Named   `json:"groups"`
	Roles    []Named   `json:"roles"`
}

// Words lists the purposes, the groups of company fields and the roles of staff.
func (s *Service) Words(ctx context.Context, actor access.Actor) (Words, error) {
	if err := need(actor, PermView, PermEdit, PermPublish); err != nil {
		return Words{}, err
	}
	roles, err := s.readers.Roles(ctx, s.db.Read())
	return Words{Purposes(), s.groups, roles}, err
}
