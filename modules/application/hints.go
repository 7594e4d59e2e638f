package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/web"
)

// Reader is who a hint is written for.
type Reader string

// The readers of hints.
const (
	ForHandler   Reader = "handler"   // operators of institutions
	ForApplicant Reader = "applicant" // people of companies
)

var readers = map[Reader]string{ForHandler: "机构经办人", ForApplicant: "企业"}

// everyKind stands in addresses for the hints of all kinds of products.
const everyKind = "all"

// HintStep is a place where a hint can stand.
type HintStep struct {
	For   Reader `json:"for" enum:"handler,applicant"`
	Step  string `json:"step"`
	Label string `json:"label"`
	Where string `json:"where" doc:"Where it is read, in words."`
}

// Hint is what people read at a step of applications for one kind of products, or for all kinds without one of their own.
type Hint struct {
	Kind       string     `json:"kind" doc:"Empty for all kinds."`
	For        Reader     `json:"for" enum:"handler,applicant"`
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

// hintSteps are the places in the order the back office lists them: of handlers each command of theirs, of applicants what they
// do and each state in which they wait.
var hintSteps = func() []HintStep {
	var list []HintStep
	for _, t := range Lifecycle() {
		step := HintStep{ForHandler, string(t.Action), RightOf(t.Action).Label, "办理窗口"}
		if RightOf(t.Action).Side == Institution && !slices.Contains(list, step) {
			list = append(list, step)
		}
	}
	list = append(list, HintStep{ForHandler, string(ToUndo), RightOf(ToUndo).Label, "办理窗口"},
		HintStep{ForApplicant, string(ToSubmit), "填写申请", "门户、手机端的申请表"}, HintStep{ForApplicant, string(ToSupplement), "补充材料", "门户、手机端的申请进度"},
		HintStep{ForApplicant, string(ToConfirm), "确认交付", "门户、手机端的申请进度"})
	for _, s := range []Status{Waiting, Lacking, Taken, Working, Given, Granted, PaidOut, Done, Refused, Dropped} {
		list = append(list, HintStep{ForApplicant, atState(s), "状态：" + s.Label(), "门户、手机端的申请进度"})
	}
	return list
}()

// atState is the step of an applicant whose application is in a state.
func atState(s Status) string { return "at-" + string(s) }

// HintSteps lists every place where a hint can stand.
func HintSteps() []HintStep { return slices.Clone(hintSteps) }

type hintRow struct {
	bun.BaseModel `bun:"table:application_hints,alias:ah"`

	Kind string `bun:"kind,pk"` // "" for all kinds
	For  Reader `bun:"reader,pk"`
	Step string `bun:"step,pk"`
	hint.Row
}

func (r hintRow) view() Hint {
	kind := r.Kind
	if kind == "" {
		kind = everyKind
	}
	return Hint{Kind: r.Kind, For: r.For, Step: r.Step, Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Alt: r.Alt, Version: r.Version, SetBy: r.SetBy, SetAt: utc(r.SetAt),
		PictureURL: r.PictureURL(fmt.Sprintf("/applications/hints/%s/%s/%s", kind, r.For, r.Step))}
}

// Hints are what is read at the steps, and where something can be.
type Hints struct {
	Items []Hint     `json:"items" doc:"Those taken away are there without content, with their version."`
	Steps []HintStep `json:"steps" doc:"Every place where a hint can stand."`
	Kinds []HintKind `json:"kinds" doc:"The kinds of products."`
}

// HintKind is a kind of products.
type HintKind struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Hints lists the hints of all kinds for their editor. It needs application.limits.
func (s *Service) Hints(ctx context.Context, actor access.Actor) (Hints, error) {
	out := Hints{Items: []Hint{}, Steps: HintSteps(), Kinds: []HintKind{}}
	if err := actor.Need(PermLimits); err != nil {
		return out, err
	}
	for _, k := range s.Kinds {
		out.Kinds = append(out.Kinds, HintKind(k))
	}
	var rows []hintRow
	if err := s.DB.Read().NewSelect().Model(&rows).ExcludeColumn("picture").OrderExpr("ah.kind, ah.reader, ah.step").Scan(ctx); err != nil {
		return out, fmt.Errorf("hints of applications: %w", err)
	}
	for _, r := range rows {
		out.Items = append(out.Items, r.view())
	}
	return out, nil
}

// hintsFor lists what a reader reads at the steps of a kind: its own hints before those of all kinds. Who wrote them is no matter
// of the readers.
func hintsFor(ctx context.Context, db bun.IDB, who Reader, kind string) ([]Hint, error) {
	var rows []hintRow
	if err := db.NewSelect().Model(&rows).ExcludeColumn("picture").Where("ah.reader = ? AND ah.kind IN ('', ?)", who, kind).OrderExpr("ah.kind DESC, ah.step").Scan(ctx); err != nil {
		return nil, fmt.Errorf("hints of applications: %w", err)
	}
	out := []Hint{}
	for _, r := range rows {
		if r.Empty() || slices.ContainsFunc(out, func(h Hint) bool { return h.Step == r.Step }) {
			continue
		}
		v := r.view()
		v.SetBy, v.SetAt = "", nil
		out = append(out, v)
	}
	return out, nil
}

// readerOf is which hints the actor reads at an application: staff those of handlers.
func readerOf(actor access.Actor) Reader {
	if actor.Party == access.Enterprise {
		return ForApplicant
	}
	return ForHandler
}

// Hint is what the actor reads at a step of the application, nil for nothing.
func (v View) Hint(step string) *Hint { return hintAt(v.Hints, step) }

func hintAt(list []Hint, step string) *Hint {
	if i := slices.IndexFunc(list, func(h Hint) bool { return h.Step == step }); i >= 0 {
		return &list[i]
	}
	return nil
}

// SetHint asks for what is read at a step: all of it as given, nothing takes the hint away.
type SetHint struct {
	Key  string `json:"-"`
	Kind string `json:"kind"` // "" for all kinds
	For  Reader `json:"for"`
	Step string `json:"step"`
	hint.Set
}

// Check tidies the hint and returns the faults of its fields. Whether there is such a kind is asked when it is set.
func (c *SetHint) Check() error {
	var place error
	if !slices.ContainsFunc(hintSteps, func(s HintStep) bool { return s.For == c.For && s.Step == c.Step }) {
		place = fault.InvalidField("step", "HINT_STEP", "没有这个步骤，请刷新后重新选择")
	}
	return fault.Merge(place, c.Set.Check())
}

// SetHint sets what is read at a step, from the next time it is opened on. It needs application.limits; a version that is not the
// present one is a conflict.
func (s *Service) SetHint(ctx context.Context, actor access.Actor, c SetHint) error {
	if err := actor.Need(PermLimits); err != nil {
		return err
	}
	i := slices.IndexFunc(s.Kinds, func(k Kind) bool { return k.Code == c.Kind })
	if c.Kind != "" && i < 0 {
		return fault.InvalidField("kind", "HINT_KIND", "没有这类产品，请刷新后重新选择")
	}
	if err := c.Check(); err != nil {
		return err
	}
	name := "各类产品"
	if i >= 0 {
		name = s.Kinds[i].Name
	}
	now := s.Clock.Now()
	kept := c
	kept.Set = c.Set.Logged()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "application.hint", Key: c.Key, Request: kept, Now: now}, func() (bool, error) {
			row := hintRow{Kind: c.Kind, For: c.For, Step: c.Step, Row: c.Row(now, actor.Name)}
			if err := hint.Put(ctx, tx, &row, c.Set, "kind = ? AND reader = ? AND step = ?", c.Kind, c.For, c.Step); err != nil {
				return false, err
			}
			label := hintSteps[slices.IndexFunc(hintSteps, func(s HintStep) bool { return s.For == c.For && s.Step == c.Step })].Label
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "application.hint", Object: "application_hint",
				Summary: "设置申请办理提示：" + name + "—" + readers[c.For] + "—" + label, Detail: kept})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("hint of applications at %s: %w", c.Step, err)
	}
	return nil
}

// HintsWhole lists the hints with their pictures, as SetHint takes them: to carry them to another installation. It needs
// application.limits.
func (s *Service) HintsWhole(ctx context.Context, actor access.Actor) ([]SetHint, error) {
	if err := actor.Need(PermLimits); err != nil {
		return nil, err
	}
	var rows []hintRow
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("ah.kind, ah.reader, ah.step").Scan(ctx); err != nil {
		return nil, fmt.Errorf("hints of applications: %w", err)
	}
	out := make([]SetHint, 0, len(rows))
	for _, r := range rows {
		out = append(out, SetHint{Kind: r.Kind, For: r.For, Step: r.Step, Set: hint.Set{Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Picture: &r.Picture, Alt: r.Alt, Version: r.Version}})
	}
	return out, nil
}

// hintPictures adds the addresses of the pictures: each kind of reader reads its own, and who edits them all.
func (s *Service) hintPictures(srv *web.Server) {
	srv.Download("/applications/hints/:kind/:reader/:step/picture", access.SignedIn(), func(c *fiber.Ctx) (web.Download, error) {
		actor, kind := access.From(c.UserContext()), c.Params("kind")
		if kind == everyKind {
			kind = ""
		}
		if who := Reader(c.Params("reader")); who != readerOf(actor) && !actor.Can(PermLimits) {
			return web.Download{}, ErrNotFound
		}
		var row hintRow
		err := database.Found(s.DB.Read().NewSelect().Model(&row).Where("ah.kind = ? AND ah.reader = ? AND ah.step = ? AND ah.picture <> ''", kind, c.Params("reader"), c.Params("step")).Scan(c.UserContext()))
		if err != nil {
			return web.Download{}, err
		}
		return hint.Download(row.Row)
	})
}
