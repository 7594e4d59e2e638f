package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// EvidenceItem is one thing a unit shows with its reply: a text such as what was done, or files.
type EvidenceItem struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Kind     string `json:"kind" enum:"text,image,document,any"`
	Min      int    `json:"min" doc:"Of files: how many at least."`
	Required bool   `json:"required" doc:"Without it the reply is refused; otherwise the reply counts as incomplete."`
	Hint     string `json:"hint,omitempty"`
}

// evidenceKinds are what an item may be.
var evidenceKinds = map[string]string{"text": "文字", "image": "照片", "document": "文件", "any": "附件"}

func (i EvidenceItem) fits(mime string) bool {
	switch i.Kind {
	case "image":
		return strings.HasPrefix(mime, "image/")
	case "document":
		return !strings.HasPrefix(mime, "image/") && !strings.HasPrefix(mime, "audio/") && !strings.HasPrefix(mime, "video/")
	}
	return true
}

// GivenEvidence is what a unit shows for one item.
type GivenEvidence struct {
	Item    string  `json:"item"`
	Text    string  `json:"text,omitempty"`
	FileIDs []int64 `json:"fileIds,omitempty" maxItems:"9"`
}

// EvidenceFact is what the facts say of evidence. Of a reply: how many items its type asks for, and whether all are there. Of a
// review: how many were found invalid.
type EvidenceFact struct {
	Required int  `json:"required,omitempty"`
	Complete bool `json:"complete,omitempty"`
	Invalid  int  `json:"invalid,omitempty"`
}

// evidenceRuleRow is the checklist of a type.
type evidenceRuleRow struct {
	bun.BaseModel `bun:"table:ticket_evidence_rules,alias:er"`

	Type    string     `bun:"type_code,pk"`
	Items   string     `bun:"items,notnull"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

// evidenceRow is a piece of evidence: a text, or one file.
type evidenceRow struct {
	bun.BaseModel `bun:"table:ticket_evidence,alias:ev"`

	ID       int64      `bun:"id,pk,autoincrement"`
	TicketID int64      `bun:"ticket_id,notnull"`
	Round    int        `bun:"round,notnull"`
	HopID    int64      `bun:"hop_id,notnull"` // the part it came with, 0 for the reply to the ticket
	Item     string     `bun:"item_code,notnull"`
	Name     string     `bun:"item_name,notnull"`
	Text     string     `bun:"text,notnull"`
	FileID   int64      `bun:"file_id,nullzero"`
	UnitName string     `bun:"unit_name,notnull"`
	State    string     `bun:"state,notnull"` // given, valid, invalid
	Reason   string     `bun:"reason,notnull"`
	JudgedBy string     `bun:"judged_by,notnull"`
	JudgedAt *time.Time `bun:"judged_at"`
	At       time.Time  `bun:"at,notnull"`
	// Gone: the reply it came with was taken back.
	Gone bool `bun:"gone,notnull"`
}

// evidenceItems is the checklist of a type; none when nothing is asked for.
func evidenceItems(ctx context.Context, db bun.IDB, typ string) ([]EvidenceItem, error) {
	var rows []evidenceRuleRow
	if err := database.QueryAll(ctx, db, &rows, "SELECT type_code, items, version, set_at, set_by FROM ticket_evidence_rules WHERE type_code = ?", typ); err != nil || len(rows) == 0 {
		return nil, err
	}
	var items []EvidenceItem
	err := json.Unmarshal([]byte(rows[0].Items), &items)
	return items, err
}

// under lists the hops that work for h, however far down, and have answered.
func (all tree) under(h *Hop) []int64 {
	var out []int64
	for _, c := range all.below(h) {
		if c.State == HopReplied || c.State == HopAccepted {
			out = append(out, c.ID)
		}
		out = append(out, all.under(c)...)
	}
	return out
}

// shownBelow counts the files that the units below have shown for each item and that were not found invalid: who answers for the whole
// has seen them and need not show them again.
func shownBelow(ctx context.Context, tx bun.Tx, hops []int64) (map[string]int, error) {
	out := map[string]int{}
	if len(hops) == 0 {
		return out, nil
	}
	var rows []struct {
		Item string `bun:"item_code"`
		N    int    `bun:"n"`
	}
	err := tx.NewSelect().TableExpr("ticket_evidence AS ev").ColumnExpr("ev.item_code, count(*) AS n").Where("ev.hop_id IN ?", bun.Tuple(hops)).
		Where("ev.file_id IS NOT NULL AND NOT ev.gone AND ev.state <> 'invalid'").GroupExpr("ev.item_code").Scan(ctx, &rows)
	for _, r := range rows {
		out[r.Item] = r.N
	}
	return out, err
}

// checkEvidence refuses a reply that lacks what its type asks for, and names all of it. What units below have shown counts.
func checkEvidence(items []EvidenceItem, given []GivenEvidence, below map[string]int) (*EvidenceFact, error) {
	var errs []error
	for i, g := range given {
		if !slices.ContainsFunc(items, func(it EvidenceItem) bool { return it.Code == g.Item }) {
			errs = append(errs, fault.InvalidField("evidence."+g.Item, "EVIDENCE_ITEM", "此类诉求没有这项佐证，请刷新后重新填写"))
		}
		if slices.ContainsFunc(given[:i], func(o GivenEvidence) bool { return o.Item == g.Item }) {
			errs = append(errs, fault.InvalidField("evidence."+g.Item, "EVIDENCE_ITEM", "同一项佐证重复提交，请合并后提交"))
		}
	}
	if len(items) == 0 {
		return nil, fault.Merge(errs...)
	}
	f := &EvidenceFact{Required: len(items), Complete: true}
	for _, it := range items {
		var g GivenEvidence
		if i := slices.IndexFunc(given, func(g GivenEvidence) bool { return g.Item == it.Code }); i >= 0 {
			g = given[i]
		}
		if it.Kind == "text" {
			if _, err := clean("evidence."+it.Code, it.Name, g.Text, maxNote, it.Required); err != nil {
				errs = append(errs, err)
			}
			f.Complete = f.Complete && strings.TrimSpace(g.Text) != ""
			continue
		}
		if n := len(g.FileIDs) + below[it.Code]; n < it.Min {
			f.Complete = false
			if it.Required {
				errs = append(errs, fault.InvalidField("evidence."+it.Code, "EVIDENCE_MISSING", fmt.Sprintf("请上传%s（%s），至少 %d 个，现有 %d 个", it.Name, evidenceKinds[it.Kind], it.Min, n)))
			}
		}
	}
	return f, fault.Merge(errs...)
}

// keepEvidence keeps what was shown with a reply, once its files belong to the ticket. What a part showed before it was sent back is gone.
func (s *Service) keepEvidence(ctx context.Context, tx bun.Tx, t *Ticket, hop int64, unit string, items []EvidenceItem, given []GivenEvidence) error {
	if hop != 0 {
		if _, err := database.Run(ctx, tx, "UPDATE ticket_evidence SET gone = TRUE WHERE ticket_id = ? AND hop_id = ?", t.ID, hop); err != nil {
			return err
		}
	}
	if len(given) == 0 {
		return nil
	}
	views, err := s.files.Of(ctx, tx, Object, t.ID)
	if err != nil {
		return err
	}
	mime := map[int64]string{}
	for _, v := range views {
		mime[v.ID] = v.Mime
	}
	var rows []evidenceRow
	for _, g := range given {
		it := items[slices.IndexFunc(items, func(i EvidenceItem) bool { return i.Code == g.Item })]
		row := evidenceRow{TicketID: t.ID, Round: t.Round, HopID: hop, Item: it.Code, Name: it.Name, UnitName: unit, State: "given", At: s.clock.Now()}
		if it.Kind == "text" {
			if row.Text = strings.TrimSpace(g.Text); row.Text != "" {
				rows = append(rows, row)
			}
			continue
		}
		for _, id := range g.FileIDs {
			if !it.fits(mime[id]) {
				return fault.InvalidField("evidence."+it.Code, "EVIDENCE_KIND", it.Name+"须为"+evidenceKinds[it.Kind]+"，请更换后提交")
			}
			row.FileID = id
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err = tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx)
	return err
}

// JudgeEvidence is the desk's word on one piece of evidence.
type JudgeEvidence struct {
	ID     int64  `json:"id"`
	Valid  bool   `json:"valid"`
	Reason string `json:"reason,omitempty" doc:"Needed when it is not valid."`
}

// judgeEvidence keeps the words of a review, nil when there are none.
func (s *Service) judgeEvidence(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, list []JudgeEvidence) (*EvidenceFact, error) {
	if len(list) == 0 {
		return nil, nil
	}
	f := &EvidenceFact{}
	now := s.clock.Now()
	for _, j := range list {
		reason, err := clean("evidence", "佐证无效的理由", j.Reason, 200, !j.Valid)
		if err != nil {
			return nil, err
		}
		state := "valid"
		if !j.Valid {
			state = "invalid"
			f.Invalid++
		}
		err = database.Changed(database.Run(ctx, tx, "UPDATE ticket_evidence SET state = ?, reason = ?, judged_by = ?, judged_at = ? WHERE id = ? AND ticket_id = ? AND round = ? AND NOT gone",
			state, reason, actor.Name, now, j.ID, t.ID, t.Round))
		if errors.Is(err, fault.ErrChanged) {
			return nil, fault.InvalidField("evidence", "EVIDENCE_ITEM", "没有这项佐证，请刷新后重新认定")
		} else if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// mendEvidence follows an undone reply or review.
func mendEvidence(ctx context.Context, tx bun.Tx, t *Ticket, undone string) error {
	var err error
	switch undone {
	case "ticket.replied":
		_, err = database.Run(ctx, tx, "UPDATE ticket_evidence SET gone = TRUE WHERE ticket_id = ? AND round = ? AND hop_id = 0", t.ID, t.Round)
	case "ticket.hop_replied":
		_, err = database.Run(ctx, tx, `UPDATE ticket_evidence SET gone = TRUE WHERE ticket_id = ? AND hop_id IN
			(SELECT h.id FROM ticket_hops AS h WHERE h.ticket_id = ? AND h.state NOT IN (?, ?))`, t.ID, t.ID, HopReplied, HopAccepted)
	case "ticket.reviewed", "ticket.sent_back":
		_, err = database.Run(ctx, tx, "UPDATE ticket_evidence SET state = 'given', reason = '', judged_by = '', judged_at = NULL WHERE ticket_id = ? AND round = ? AND NOT gone", t.ID, t.Round)
	}
	return err
}

// EvidenceView is one piece of evidence.
type EvidenceView struct {
	ID       int64      `json:"id"`
	Item     string     `json:"item"`
	Name     string     `json:"name"`
	Round    int        `json:"round"`
	HopID    int64      `json:"hopId,omitempty" doc:"The part it was shown with; none for the reply to the ticket."`
	Text     string     `json:"text,omitempty"`
	FileID   int64      `json:"fileId,omitempty"`
	UnitName string     `json:"unitName"`
	State    string     `json:"state" enum:"given,valid,invalid"`
	Reason   string     `json:"reason,omitempty"`
	JudgedBy string     `json:"judgedBy,omitempty"`
	JudgedAt *time.Time `json:"judgedAt,omitempty"`
	At       time.Time  `json:"at"`
}

// EvidencePart is what a ticket's type asks for and what its units have shown.
type EvidencePart struct {
	Items []EvidenceItem `json:"items"`
	Given []EvidenceView `json:"given"`
}

// evidenceOf is the evidence of a ticket, nil where none is asked for and none was given.
func evidenceOf(ctx context.Context, db bun.IDB, t *Ticket) (*EvidencePart, error) {
	items, err := evidenceItems(ctx, db, t.Type)
	if err != nil {
		return nil, err
	}
	var rows []evidenceRow
	err = database.QueryAll(ctx, db, &rows, `SELECT ev.id, ev.ticket_id, ev.round, ev.hop_id, ev.item_code, ev.item_name, ev.text, ev.file_id, ev.unit_name, ev.state, ev.reason, ev.judged_by, ev.judged_at, ev.at, ev.gone
		FROM ticket_evidence AS ev LEFT JOIN ticket_hops AS h ON h.id = ev.hop_id WHERE ev.ticket_id = ? AND NOT ev.gone AND (ev.hop_id = 0 OR h.state IN (?, ?)) ORDER BY ev.id LIMIT 300`,
		t.ID, HopReplied, HopAccepted)
	if err != nil || len(items) == 0 && len(rows) == 0 {
		return nil, err
	}
	p := &EvidencePart{Items: append([]EvidenceItem{}, items...), Given: []EvidenceView{}}
	for _, r := range rows {
		p.Given = append(p.Given, EvidenceView{r.ID, r.Item, r.Name, r.Round, r.HopID, r.Text, r.FileID, r.UnitName, r.State, r.Reason, r.JudgedBy, utc(r.JudgedAt), r.At.UTC()})
	}
	return p, nil
}

// EvidenceRule is the checklist of a type.
type EvidenceRule struct {
	Type     string         `json:"type"`
	TypeName string         `json:"typeName"`
	Items    []EvidenceItem `json:"items"`
	Version  int64          `json:"version"`
	SetBy    string         `json:"setBy,omitempty"`
	SetAt    *time.Time     `json:"setAt,omitempty"`
}

// EvidenceRules lists the checklists of all types that have one, for staff with ticket.view.
func (s *Service) EvidenceRules(ctx context.Context, actor access.Actor) ([]EvidenceRule, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	var rows []evidenceRuleRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("er.type_code").Limit(500).Scan(ctx); err != nil {
		return nil, err
	}
	names, err := s.typeNames(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	out := make([]EvidenceRule, 0, len(rows))
	for _, r := range rows {
		e := EvidenceRule{Type: r.Type, TypeName: names[r.Type], Items: []EvidenceItem{}, Version: r.Version, SetBy: r.SetBy, SetAt: utc(r.SetAt)}
		if err := json.Unmarshal([]byte(r.Items), &e.Items); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

var itemCode = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)

// SetEvidenceRule asks for the checklist of a type; Version 0 makes a new one, no items take it away.
type SetEvidenceRule struct {
	Key     string `json:"-"`
	Type    string
	Items   []EvidenceItem
	Version int64
}

// Check returns the faults of the items. Whether there is such a type is asked when the rule is set.
func (c SetEvidenceRule) Check() error {
	var errs []error
	if len(c.Items) > 20 {
		errs = append(errs, fault.InvalidField("items", "EVIDENCE_RULE", "每类诉求的佐证最多 20 项"))
	}
	for i, it := range c.Items {
		at := fmt.Sprintf("第 %d 项", i+1)
		if _, err := clean("items", at+"的名称", it.Name, 30, true); err != nil {
			errs = append(errs, err)
		}
		if _, err := clean("items", at+"的说明", it.Hint, 100, false); err != nil {
			errs = append(errs, err)
		}
		if !itemCode.MatchString(it.Code) || slices.ContainsFunc(c.Items[:i], func(o EvidenceItem) bool { return o.Code == it.Code }) {
			errs = append(errs, fault.InvalidField("items", "EVIDENCE_RULE", at+"的编码须为小写字母开头的字母、数字或下划线，且不重复"))
		}
		if evidenceKinds[it.Kind] == "" || it.Kind != "text" && (it.Min < 1 || it.Min > 9) {
			errs = append(errs, fault.InvalidField("items", "EVIDENCE_RULE", at+"请选择种类，附件数量须在 1 至 9 之间"))
		}
	}
	return fault.Merge(errs...)
}

// SetEvidenceRule sets what units show with their replies to a type of requests; it holds for replies from then on. It needs
// ticket.types at the desk; ErrStale when somebody else was faster.
func (s *Service) SetEvidenceRule(ctx context.Context, actor access.Actor, cmd SetEvidenceRule) error {
	if err := actor.Need(PermTypes); err != nil {
		return err
	}
	if !isDesk(actor) {
		return ErrForbidden
	}
	if err := cmd.Check(); err != nil {
		return err
	}
	items, err := json.Marshal(append([]EvidenceItem{}, cmd.Items...))
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.evidence_rule", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			kind, err := typeOf(ctx, tx, cmd.Type)
			if errors.Is(err, fault.ErrNotFound) {
				return false, fault.InvalidField("type", "TICKET_TYPE", "没有这种诉求类型，请重新选择")
			} else if err != nil {
				return false, err
			}
			row := evidenceRuleRow{Type: cmd.Type, Items: string(items), Version: cmd.Version + 1, SetAt: &now, SetBy: actor.Name}
			if cmd.Version == 0 {
				err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
			} else {
				err = database.Changed(tx.NewUpdate().Model(&row).Where("er.type_code = ? AND er.version = ?", cmd.Type, cmd.Version).Exec(ctx))
			}
			if errors.Is(err, fault.ErrChanged) {
				return false, ErrStale.With("佐证要求已被他人修改，请刷新后再设置")
			} else if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.evidence_rule", Object: "ticket_evidence_rule",
				Summary: fmt.Sprintf("设置“%s”的佐证要求，共 %d 项", kind.Name, len(cmd.Items)), Detail: cmd})
		})
		return err
	})
}
