package ticket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of pictures that are taken
	_ "image/png"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Reader is who a hint is written for.
type Reader string

// The readers of hints.
const (
	ForStaff     Reader = "staff"
	ForRequester Reader = "requester"
)

// What a hint's picture may be.
const (
	maxPicture     = 300 << 10
	maxPictureSide = 2000
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
			step.Where = "签收按钮下方"
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

	For      Reader     `bun:"reader,pk"`
	Step     string     `bun:"step,pk"`
	Text     string     `bun:"text,notnull"`
	LinkText string     `bun:"link_text,notnull"`
	LinkURL  string     `bun:"link_url,notnull"`
	Picture  string     `bun:"picture,notnull"` // base64
	Digest   string     `bun:"picture_digest,notnull"`
	Alt      string     `bun:"alt,notnull"`
	Version  int64      `bun:"version,notnull"`
	SetAt    *time.Time `bun:"set_at"`
	SetBy    string     `bun:"set_by,notnull"`
}

func (r hintRow) empty() bool { return r.Text == "" && r.LinkURL == "" && r.Digest == "" }

func (r hintRow) view() Hint {
	h := Hint{For: r.For, Step: r.Step, Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Alt: r.Alt, Version: r.Version, SetBy: r.SetBy, SetAt: utc(r.SetAt)}
	if r.Digest != "" {
		h.PictureURL = fmt.Sprintf("/tickets/hints/%s/%s/picture?v=%s", r.For, r.Step, r.Digest[:12])
	}
	return h
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
		if all || !r.empty() {
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

// picture is the picture of a hint with its kind and digest; ErrNotFound where there is none.
func (s *Service) picture(ctx context.Context, who Reader, step string) (content []byte, kind, digest string, err error) {
	var row hintRow
	if err := database.Found(s.db.Read().NewSelect().Model(&row).Where("ht.reader = ? AND ht.step = ? AND ht.picture <> ''", who, step).Scan(ctx)); err != nil {
		return nil, "", "", err
	}
	content, format, err := pictureOf(row.Picture)
	return content, "image/" + format, row.Digest, err
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

// Check tidies the hint and returns the faults of its fields. A picture that is kept is not looked at.
func (c *SetHint) Check() error {
	var err error
	var errs []error
	if _, ok := hintPlaces[HintStep{For: c.For, Step: c.Step}]; !ok {
		errs = append(errs, fault.InvalidField("step", "HINT_STEP", "没有这个步骤，请刷新后重新选择"))
	}
	c.Text, err = clean("text", "提示文字", c.Text, 300, false)
	errs = append(errs, err)
	c.LinkText, err = clean("linkText", "链接文字", c.LinkText, 30, false)
	errs = append(errs, err)
	c.LinkURL = strings.TrimSpace(c.LinkURL)
	switch {
	case c.LinkURL == "" && c.LinkText != "":
		errs = append(errs, fault.InvalidField("linkUrl", "REQUIRED", "请填写链接地址，或删去链接文字"))
	case c.LinkURL != "" && c.LinkText == "":
		errs = append(errs, fault.InvalidField("linkText", "REQUIRED", "请填写链接文字，说明点开后看到什么"))
	case c.LinkURL != "" && !safeLink(c.LinkURL):
		errs = append(errs, fault.InvalidField("linkUrl", "HINT_LINK", "链接须以 https:// 开头，或是本站以 / 开头的地址"))
	}
	c.Alt, err = clean("alt", "图片说明", c.Alt, 60, c.Picture != nil && *c.Picture != "")
	errs = append(errs, err)
	if c.Picture != nil && *c.Picture != "" {
		if _, _, err := pictureOf(*c.Picture); err != nil {
			errs = append(errs, err)
		}
	}
	return fault.Merge(errs...)
}

// safeLink reports whether a person may be sent there: a page of this site, or one that is reached safely.
func safeLink(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 300 || strings.ContainsAny(address, "\\ \t\r\n") || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
}

// pictureOf decodes a picture; what is no whole PNG or JPEG of a bearable size is a fault at "picture".
func pictureOf(encoded string) (content []byte, format string, err error) {
	bad := func(message string) error { return fault.InvalidField("picture", "HINT_PICTURE", message) }
	if len(encoded) > base64.StdEncoding.EncodedLen(maxPicture) {
		return nil, "", bad("图片不能超过 300 KB，请压缩后上传")
	}
	if content, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		return nil, "", bad("图片没有完整上传，请重新选择")
	}
	head, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, "", bad("图片须为 PNG 或 JPG 格式，请更换后上传")
	}
	if head.Width > maxPictureSide || head.Height > maxPictureSide {
		return nil, "", bad(fmt.Sprintf("图片的宽和高不能超过 %d 像素，现为 %d×%d，请缩小后上传", maxPictureSide, head.Width, head.Height))
	}
	if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
		return nil, "", bad("图片已损坏，请更换后上传")
	}
	return content, format, nil
}

// digestOf tells pictures apart; "" for none.
func digestOf(encoded string) string {
	if encoded == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(encoded))
	return hex.EncodeToString(sum[:])
}

// SetHint sets what is read at a step, from the next time it is opened on. It needs ticket.types at the desk; a version that is
// not the present one is a conflict.
func (s *Service) SetHint(ctx context.Context, actor access.Actor, c SetHint) error {
	if err := c.Check(); err != nil {
		return err
	}
	kept := c // the audit log keeps what a picture was by its digest
	if c.Picture != nil {
		digest := digestOf(*c.Picture)
		kept.Picture = &digest
	}
	return s.onSettings(ctx, actor, "ticket.hint", c.Key, "ticket_hint", kept, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		place := hintPlaces[HintStep{For: c.For, Step: c.Step}]
		row := hintRow{For: c.For, Step: c.Step, Text: c.Text, LinkText: c.LinkText, LinkURL: c.LinkURL, Alt: c.Alt, Version: c.Version + 1, SetAt: &now, SetBy: actor.Name}
		if c.Picture != nil {
			row.Picture, row.Digest = *c.Picture, *kept.Picture
		}
		columns := []string{"text", "link_text", "link_url", "alt", "version", "set_at", "set_by"}
		if c.Picture != nil {
			columns = append(columns, "picture", "picture_digest")
		}
		if (c.Picture == nil && c.Version == 0) || (c.Picture != nil && *c.Picture == "") {
			row.Alt = ""
		}
		var err error
		if c.Version == 0 {
			err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
		} else {
			err = database.Changed(tx.NewUpdate().Model(&row).Column(columns...).Where("ht.reader = ? AND ht.step = ? AND ht.version = ?", c.For, c.Step, c.Version).Exec(ctx))
		}
		if errors.Is(err, fault.ErrChanged) {
			return "", fault.New(fault.Conflict, "CHANGED", "该步骤的提示已被他人修改，请刷新后再改").Wrap(err)
		}
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
