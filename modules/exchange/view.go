package exchange

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// countTo bounds the counters; one that reaches it reads "999+".
const countTo = 1000

// PartnerView is a partner as the back office sees it.
type PartnerView struct {
	ID             int64        `json:"id"`
	Code           string       `json:"code"`
	Name           string       `json:"name"`
	Note           string       `json:"note"`
	URL            string       `json:"url" doc:"Empty for a partner who only pulls."`
	AllowCIDRs     []string     `json:"allowCidrs"`
	Events         []string     `json:"events"`
	Fields         []string     `json:"fields"`
	ShowNames      bool         `json:"showNames"`
	State          PartnerState `json:"state" enum:"active,paused"`
	Down           bool         `json:"down" doc:"The last pushes in a row all failed."`
	CallsPerMinute int          `json:"callsPerMinute"`
	CallsPerDay    int          `json:"callsPerDay"`
	Version        int64        `json:"version"`
	CreatedAt      time.Time    `json:"createdAt"`
	UpdatedAt      time.Time    `json:"updatedAt"`
	UpdatedBy      string       `json:"updatedBy"`
	// Oldest is when the event was read that has waited longest.
	Oldest    *time.Time `json:"oldest,omitempty"`
	Waiting   int        `json:"waiting" doc:"Not delivered yet, 1000 at most."`
	Failed    int        `json:"failed" doc:"Of these, waiting to be tried again."`
	Dead      int        `json:"dead" doc:"Of these, not tried any more."`
	Delivered int        `json:"delivered" doc:"In the last 24 hours, 1000 at most."`
	Secret    string     `json:"secret,omitempty" doc:"In the answer that makes it only."`
}

func (p *Partner) view() PartnerView {
	list := func(t texts) []string { return append([]string{}, t...) }
	return PartnerView{
		ID: p.ID, Code: p.Code, Name: p.Name, Note: p.Note, URL: p.URL, AllowCIDRs: list(p.AllowCIDRs), Events: list(p.Events), Fields: list(p.Fields),
		ShowNames: p.ShowNames, State: p.State, Down: p.Failures >= downAfter, CallsPerMinute: p.CallsPerMinute, CallsPerDay: p.CallsPerDay,
		Version: p.Version, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(), UpdatedBy: p.UpdatedBy,
	}
}

// counted adds how the deliveries of the partner stand.
func (s *Service) counted(ctx context.Context, db bun.IDB, p *Partner) (PartnerView, error) {
	v := p.view()
	rows := func() *bun.SelectQuery {
		return db.NewSelect().Model((*Delivery)(nil)).Where("d.partner_id = ?", p.ID)
	}
	var oldest []time.Time
	err := rows().Column("d.created_at").Where("d.settled_at IS NULL").OrderExpr("d.id").Limit(1).Scan(ctx, &oldest)
	if err != nil {
		return v, err
	}
	if len(oldest) > 0 {
		at := oldest[0].UTC()
		v.Oldest = &at
	}
	day := s.clock.Now().Add(-24 * time.Hour)
	for _, c := range []struct {
		into *int
		q    *bun.SelectQuery
	}{
		{&v.Waiting, rows().Where("d.settled_at IS NULL")},
		{&v.Failed, rows().Where("d.state = ?", Failed)},
		{&v.Dead, rows().Where("d.state = ?", Dead)},
		{&v.Delivered, rows().Where("d.state = ?", Delivered).Where("d.settled_at >= ?", day)},
	} {
		if *c.into, err = few(ctx, db, c.q, countTo); err != nil {
			return v, err
		}
	}
	return v, nil
}

// Partner returns one partner, ErrNotFound when the actor may not see it.
func (s *Service) Partner(ctx context.Context, actor access.Actor, id int64) (PartnerView, error) {
	if err := staff(actor, PermView); err != nil {
		return PartnerView{}, err
	}
	db := s.db.Read()
	var p Partner
	if err := visible(db.NewSelect().Model(&p).Where("p.id = ?", id), actor, "p.id").Scan(ctx); err != nil {
		return PartnerView{}, database.Found(err)
	}
	return s.counted(ctx, db, &p)
}

// page reads the place a list goes on from.
func page(cursor string, limit int) (int64, int, error) {
	var before int64
	if cursor != "" {
		var err error
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before <= 0 {
			return 0, 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	return before, limit, nil
}

// cut drops the row that only tells that there are more, and names where the next page begins.
func cut[T any](rows []T, limit int, id func(T) int64) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	rows = rows[:limit]
	return rows, strconv.FormatInt(id(rows[limit-1]), 10)
}

// PartnerFilter narrows the list of partners.
type PartnerFilter struct {
	State  PartnerState
	Cursor string
	Limit  int
}

// Partners lists the partners the actor may see, newest first, and the cursor of the next page.
func (s *Service) Partners(ctx context.Context, actor access.Actor, f PartnerFilter) ([]PartnerView, string, error) {
	if err := staff(actor, PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := page(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	db := s.db.Read()
	var rows []Partner
	q := visible(db.NewSelect().Model(&rows).OrderExpr("p.id DESC").Limit(int64(limit+1)), actor, "p.id")
	if before > 0 {
		q = q.Where("p.id < ?", before)
	}
	if f.State != "" {
		q = q.Where("p.state = ?", f.State)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(p Partner) int64 { return p.ID })
	items := make([]PartnerView, 0, len(rows))
	for i := range rows {
		v, err := s.counted(ctx, db, &rows[i])
		if err != nil {
			return nil, "", err
		}
		items = append(items, v)
	}
	return items, next, nil
}

// DeliveryItem is a delivery in a list.
type DeliveryItem struct {
	ID          int64      `json:"id"`
	PartnerID   int64      `json:"partnerId"`
	PartnerName string     `json:"partnerName"`
	MessageID   string     `json:"messageId"`
	Type        string     `json:"type"`
	TypeLabel   string     `json:"typeLabel"`
	Subject     string     `json:"subject"`
	Seq         int64      `json:"seq"`
	State       State      `json:"state" enum:"queued,sending,delivered,failed,dead,skipped,kept"`
	Attempts    int        `json:"attempts"`
	Status      int        `json:"status" doc:"Of the partner's last answer; 0 when there was none."`
	Reason      string     `json:"reason"`
	Waits       bool       `json:"waits" doc:"An earlier delivery of the same object is not settled."`
	CreatedAt   time.Time  `json:"createdAt"`
	LastAt      *time.Time `json:"lastAt,omitempty"`
	NextAt      *time.Time `json:"nextAt,omitempty"`
	SettledAt   *time.Time `json:"settledAt,omitempty"`
}

// DeliveryView is a delivery with its body and history.
type DeliveryView struct {
	DeliveryItem
	Body    string        `json:"body"`
	Receipt string        `json:"receipt"`
	History []AttemptView `json:"history"` // oldest first
	Actions []string      `json:"actions" doc:"What the actor may do now: replay, skip."`
}

// AttemptView is one line of the history.
type AttemptView struct {
	ID     int64     `json:"id"`
	Kind   string    `json:"kind" enum:"push,lost,replay,skip"`
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"tookMs"`
	Status int       `json:"status"`
	OK     bool      `json:"ok"`
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func (s *Service) item(d *Delivery, names map[int64]string) DeliveryItem {
	i := DeliveryItem{
		ID: d.ID, PartnerID: d.PartnerID, PartnerName: names[d.PartnerID], MessageID: d.MessageID, Type: d.Type, TypeLabel: s.offer.topicLabel(d.Type),
		Subject: d.Subject, Seq: d.Seq, State: d.State, Attempts: d.Attempts, Status: d.Status, Reason: d.Reason, CreatedAt: d.CreatedAt.UTC(),
		LastAt: utc(d.LastAt), SettledAt: utc(d.SettledAt), Waits: d.State == Queued && d.NextAt == nil,
	}
	if d.State == Failed {
		i.NextAt = utc(d.NextAt)
	}
	return i
}

func partnerNames(ctx context.Context, db bun.IDB) (map[int64]string, error) {
	var rows []Partner
	if err := db.NewSelect().Model(&rows).Column("p.id", "p.name").Scan(ctx); err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// DeliveryFilter narrows the list of deliveries.
type DeliveryFilter struct {
	PartnerID int64
	State     State
	Subject   string // of the object, in full: "GD20261122-000123"
	Cursor    string
	Limit     int
}

// Deliveries lists the deliveries the actor may see, newest first, and the cursor of the next page.
func (s *Service) Deliveries(ctx context.Context, actor access.Actor, f DeliveryFilter) ([]DeliveryItem, string, error) {
	if err := staff(actor, PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := page(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	if f.State != "" && f.State.Label() == "" {
		return nil, "", fault.InvalidField("state", "DELIVERY_STATE", "没有这种推送状态，请重新选择")
	}
	db := s.db.Read()
	var rows []Delivery
	q := visible(db.NewSelect().Model(&rows).ExcludeColumn("body").OrderExpr("d.id DESC").Limit(int64(limit+1)), actor, "d.partner_id")
	if before > 0 {
		q = q.Where("d.id < ?", before)
	}
	if f.PartnerID != 0 {
		q = q.Where("d.partner_id = ?", f.PartnerID)
	}
	if f.State != "" {
		q = q.Where("d.state = ?", f.State)
	}
	if n := strings.ToUpper(strings.TrimSpace(f.Subject)); n != "" {
		q = q.Where("d.subject = ?", n)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	names, err := partnerNames(ctx, db)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(d Delivery) int64 { return d.ID })
	items := make([]DeliveryItem, 0, len(rows))
	for i := range rows {
		items = append(items, s.item(&rows[i], names))
	}
	return items, next, nil
}

// Delivery returns one delivery with its body and history, ErrNotFound when the actor may not see it.
func (s *Service) Delivery(ctx context.Context, actor access.Actor, id int64) (DeliveryView, error) {
	if err := staff(actor, PermView); err != nil {
		return DeliveryView{}, err
	}
	db := s.db.Read()
	var d Delivery
	if err := visible(db.NewSelect().Model(&d).Where("d.id = ?", id), actor, "d.partner_id").Scan(ctx); err != nil {
		return DeliveryView{}, database.Found(err)
	}
	names, err := partnerNames(ctx, db)
	if err != nil {
		return DeliveryView{}, err
	}
	v := DeliveryView{DeliveryItem: s.item(&d, names), Body: d.Body, Receipt: d.Receipt, History: []AttemptView{}, Actions: []string{}}
	var lines []attempt
	if err := db.NewSelect().Model(&lines).Where("a.delivery_id = ?", id).OrderExpr("a.id").Limit(500).Scan(ctx); err != nil {
		return DeliveryView{}, err
	}
	for _, a := range lines {
		v.History = append(v.History, AttemptView{ID: a.ID, Kind: a.Kind, Number: a.Number, At: a.At.UTC(), TookMS: a.TookMS, Status: a.Status, OK: a.OK, Reason: a.Reason, Actor: a.Actor})
	}
	if actor.Can(PermManage) && d.State != Kept {
		if again := d; again.replay() == nil {
			v.Actions = append(v.Actions, "replay")
		}
		if without := d; without.skip(s.clock.Now(), "") == nil {
			v.Actions = append(v.Actions, "skip")
		}
	}
	return v, nil
}

// KeyView is a key without what opens it.
type KeyView struct {
	ID        int64      `json:"id"`
	PartnerID int64      `json:"partnerId"`
	Name      string     `json:"name"`
	Start     string     `json:"start" doc:"The first characters, to tell keys apart."`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"createdAt"`
	CreatedBy string     `json:"createdBy"`
	UsedAt    *time.Time `json:"usedAt,omitempty"`
	RevokedAt *time.Time `json:"revokedAt,omitempty"`
	RevokedBy string     `json:"revokedBy"`
	Plain     string     `json:"plain,omitempty" doc:"The key itself, in the answer that makes it only."`
}

func (k *apiKey) view() KeyView {
	return KeyView{
		ID: k.ID, PartnerID: k.PartnerID, Name: k.Name, Start: k.Start, Scopes: append([]string{}, k.Scopes...), CreatedAt: k.CreatedAt.UTC(),
		CreatedBy: k.CreatedBy, UsedAt: utc(k.UsedAt), RevokedAt: utc(k.RevokedAt), RevokedBy: k.RevokedBy,
	}
}

func (s *Service) key(ctx context.Context, actor access.Actor, id int64) (KeyView, error) {
	var k apiKey
	if err := visible(s.db.Read().NewSelect().Model(&k).Where("k.id = ?", id), actor, "k.partner_id").Scan(ctx); err != nil {
		return KeyView{}, database.Found(err)
	}
	return k.view(), nil
}

// Keys lists the keys of a partner, newest first; a hundred at most.
func (s *Service) Keys(ctx context.Context, actor access.Actor, partner int64) ([]KeyView, error) {
	if _, err := s.Partner(ctx, actor, partner); err != nil {
		return nil, err
	}
	var rows []apiKey
	err := visible(s.db.Read().NewSelect().Model(&rows).Where("k.partner_id = ?", partner).OrderExpr("k.id DESC").Limit(100), actor, "k.partner_id").Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]KeyView, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view())
	}
	return out, nil
}

// CallView is one answered call.
type CallView struct {
	ID      int64     `json:"id"`
	KeyName string    `json:"keyName"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Status  int       `json:"status"`
	IP      string    `json:"ip"`
	At      time.Time `json:"at"`
}

// Calls lists the calls of a partner, newest first, and the cursor of the next page.
func (s *Service) Calls(ctx context.Context, actor access.Actor, partner int64, cursor string, limit int) ([]CallView, string, error) {
	keys, err := s.Keys(ctx, actor, partner)
	if err != nil {
		return nil, "", err
	}
	before, limit, err := page(cursor, limit)
	if err != nil {
		return nil, "", err
	}
	var rows []call
	q := visible(s.db.Read().NewSelect().Model(&rows).Where("c.partner_id = ?", partner).OrderExpr("c.id DESC").Limit(int64(limit+1)), actor, "c.partner_id")
	if before > 0 {
		q = q.Where("c.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(c call) int64 { return c.ID })
	items := make([]CallView, 0, len(rows))
	for _, c := range rows {
		v := CallView{ID: c.ID, Method: c.Method, Path: c.Path, Status: c.Status, IP: c.IP, At: c.At.UTC()}
		for _, k := range keys {
			if k.ID == c.KeyID {
				v.KeyName = k.Name
			}
		}
		items = append(items, v)
	}
	return items, next, nil
}
