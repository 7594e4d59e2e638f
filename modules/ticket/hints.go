package ticket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
)

// Reader is who a hint is written for.
type Reader string

// The readers of hints.
const (
	ForStaff     Reader = "staff"
	ForRequester Reader = "requester"
)

// Hint is what administrators have people read at a step: a text, a link, a picture, or several of them.
type Hint struct {
	For        Reader     `json:"for" enum:"staff,requester"`
	Step       string     `json:"step"`
	Text       string     `json:"text,omitempty"`
	LinkText   string     `json:"linkText,omitempty"`
	LinkURL    string     `json:"linkUrl,omitempty"`
	PictureURL string     `json:"pictureUrl,omitempty" doc:"Where the picture is read; another picture has another address."`
	Alt        string     `json:"alt,omitempty" doc:"What the picture shows, for those who do not see it."`
	Version    int64      `json:"version"`
	SetBy      string     `json:"setBy,omitempty"`
	SetAt      *time.Time `json:"setAt,omitempty"`
}

// HintStep is a place where a hint can stand.
type HintStep struct {
	For   Reader `json:"for" enum:"staff,requester"`
	Step  string `json:"step"`
	Label string `json:"label"`
	Where string `json:"where" doc:"Where it is read, in words."`
}

// hintSteps are the places in the order the back office lists them: of staff each command that asks for something or is worth
// a word before, of requesters what they do and each state in which they wait.
var hintSteps, hintPlaces = func() ([]HintStep, map[HintStep]HintStep) {
	list := []HintStep{{ForStaff, "open", "登记诉求", "代客登记、直办"}}
	silent := []Action{ToArchive, ToWithdraw, ToUnlink, ToHopSign} // done at once and without consequence, or read under 签收
	for _, t := range Lifecycle() {
		r := RightOf(t.Action)
		step := HintStep{ForStaff, string(t.Action), r.Label, "操作窗口"}
		if t.Action == ToSign {
			step.Where = "工单内容上方"
		}
		if r.Side != Requester && t.Action.Addressed() && !slices.Contains(silent, t.Action) && !slices.Contains(list, step) {
			list = append(list, step)
		}
	}
	list = append(list, HintStep{ForStaff, string(ToUndo), RightOf(ToUndo).Label, "操作窗口"},
		HintStep{ForRequester, "open", "提交诉求", "门户、手机端的诉求表单"}, HintStep{ForRequester, "query", "凭流水号查询", "门户、手机端的进度查询"},
		HintStep{ForRequester, "supplement", "补充材料", "门户、手机端的诉求详情"}, HintStep{ForRequester, "rate", "评价", "门户、手机端的诉求详情"},
		HintStep{ForRequester, "judge", "短信评价", "短信链接的评价页"})
	for _, s := range []Status{Received, Direct, Refused, Sent, Handling, OnHold, Reported, Reviewed, Calling, Done, Archived, Merged, Void} {
		list = append(list, HintStep{ForRequester, atState(s), "状态：" + s.Label(), "门户、手机端的诉求详情和进度查询"})
	}
	places := map[HintStep]HintStep{}
	for _, s := range list {
		places[HintStep{For: s.For, Step: s.Step}] = s
	}
	return list, places
}()

// atState is the step of a requester whose ticket is in a state.
func atState(s Status) string { return "at-" + string(s) }

// HintSteps lists every place where a hint can stand.
func HintSteps() []HintStep { return slices.Clone(hintSteps) }

type hintRow struct {
	bun.BaseModel `bun:"table:ticket_hints,alias:ht"`

	For  Reader `bun:"reader,pk"`
	Step string `bun:"step,pk"`
	hint.Row
}

func (r hintRow) view() Hint {
	return Hint{For: r.For, Step: r.Step, Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Alt: r.Alt, Version: r.Version, SetBy: r.SetBy, SetAt: utc(r.SetAt),
		PictureURL: r.PictureURL(fmt.Sprintf("/tickets/hints/%s/%s", r.For, r.Step))}
}

// hintRows reads the hints without their pictures.
func hintRows(ctx context.Context, db bun.IDB, who Reader) ([]hintRow, error) {
	var rows []hintRow
	q := db.NewSelect().Model(&rows).ExcludeColumn("picture").OrderExpr("ht.reader, ht.step")
	if who != "" {
		q.Where("ht.reader = ?", who)
	}
	return rows, q.Scan(ctx)
}

// Hints lists what is read at the steps, for staff; those taken away are there without content, with their version.
func (s *Service) Hints(ctx context.Context, actor access.Actor) ([]Hint, error) {
	if actor.Party != access.Platform && actor.Party != access.Government {
		return nil, ErrForbidden
	}
	return s.hints(ctx, "", true)
}

// RequesterHints lists what requesters read; everybody may.
func (s *Service) RequesterHints(ctx context.Context) ([]Hint, error) {
	list, err := s.hints(ctx, ForRequester, false)
	for i := range list { // who wrote it is no matter of the public
		list[i].SetBy, list[i].SetAt = "", nil
	}
	return list, err
}

func (s *Service) hints(ctx context.Context, who Reader, all bool) ([]Hint, error) {
	rows, err := hintRows(ctx, s.db.Read(), who)
	out := make([]Hint, 0, len(rows))
	for _, r := range rows {
		if all || !r.Empty() {
			out = append(out, r.view())
		}
	}
	return out, err
}

// hintAt is what a requester reads at a step, nil for nothing.
func (s *Service) hintAt(ctx context.Context, step string) (*Hint, error) {
	list, err := s.RequesterHints(ctx)
	if i := slices.IndexFunc(list, func(h Hint) bool { return h.Step == step }); err == nil && i >= 0 {
		return &list[i], nil
	}
	return nil, err
}

// picture is the picture of a hint; ErrNotFound where there is none.
func (s *Service) picture(ctx context.Context, who Reader, step string) (hint.Row, error) {
	var row hintRow
	err := database.Found(s.db.Read().NewSelect().Model(&row).Where("ht.reader = ? AND ht.step = ? AND ht.picture <> ''", who, step).Scan(ctx))
	return row.Row, err
}

// SetHint asks for what is read at a step: all of it as given, nothing takes the hint away.
type SetHint struct {
	Key      string `json:"-"`
	For      Reader `json:"for"`
	Step     string `json:"step"`
	Text     string `json:"text"`
	LinkText string `json:"linkText"`
	LinkURL  string `json:"linkUrl"`
	// Picture is a PNG or JPEG in base64, "" for none; nil keeps the one that is there.
	Picture *string `json:"picture"`
	Alt     string  `json:"alt"`
	Version int64   `json:"version"` // 0 where there was none
}

func (c *SetHint) set() hint.Set {
	return hint.Set{Text: c.Text, LinkText: c.LinkText, LinkURL: c.LinkURL, Picture: c.Picture, Alt: c.Alt, Version: c.Version}
}

// Check tidies the hint and returns the faults of its fields. A picture that is kept is not looked at.
func (c *SetHint) Check() error {
	var place error
	if _, ok := hintPlaces[HintStep{For: c.For, Step: c.Step}]; !ok {
		place = fault.InvalidField("step", "HINT_STEP", "没有这个步骤，请刷新后重新选择")
	}
	set := c.set()
	err := set.Check()
	c.Text, c.LinkText, c.LinkURL, c.Alt = set.Text, set.LinkText, set.LinkURL, set.Alt
	return fault.Merge(place, err)
}

// SetHint sets what is read at a step, from the next time it is opened on. It needs ticket.types at the desk; a version that is
// not the present one is a conflict.
func (s *Service) SetHint(ctx context.Context, actor access.Actor, c SetHint) error {
	if err := c.Check(); err != nil {
		return err
	}
	kept := c
	kept.Picture = c.set().Logged().Picture
	return s.onSettings(ctx, actor, "ticket.hint", c.Key, "ticket_hint", kept, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		place := hintPlaces[HintStep{For: c.For, Step: c.Step}]
		row := hintRow{For: c.For, Step: c.Step, Row: c.set().Row(now, actor.Name)}
		err := hint.Put(ctx, tx, &row, c.set(), "reader = ? AND step = ?", c.For, c.Step)
		return "设置办理提示：" + readers[c.For] + "—" + place.Label, err
	})
}

var readers = map[Reader]string{ForStaff: "工作人员", ForRequester: "诉求人"}

// HintsWhole lists the hints with their pictures, as SetHint takes them: to carry them to another installation. It needs
// ticket.types at the desk.
func (s *Service) HintsWhole(ctx context.Context, actor access.Actor) ([]SetHint, error) {
	if err := editsTypes(actor); err != nil {
		return nil, err
	}
	var rows []hintRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("ht.reader, ht.step").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]SetHint, 0, len(rows))
	for _, r := range rows {
		out = append(out, SetHint{For: r.For, Step: r.Step, Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Picture: &r.Picture, Alt: r.Alt, Version: r.Version})
	}
	return out, nil
}
