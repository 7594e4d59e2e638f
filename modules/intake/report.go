package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Field is one question of a service's form, as Open311 tells it.
type Field struct {
	Code, Label, Hint string
	Kind              string // string, number, datetime, text, singlevaluelist, multivaluelist
	Required          bool
	Values            []Choice
}

// Choice is one answer to choose.
type Choice struct{ Key, Name string }

// Fields tells the form fields of ticket types.
type Fields interface {
	Fields(ctx context.Context, code string) ([]Field, error)
}

// Upload is a picture or paper that came with a report.
type Upload struct {
	Name    string
	Content []byte
}

// Report is a request as a partner sends it. Lat and Long come together or not at all.
type Report struct {
	Code                              string
	Lat, Long                         *float64
	Datum                             Datum
	Address, AddressID, Zip           string
	Email, Phone, FirstName, LastName string
	DeviceID, AccountID               string
	Description, MediaURL             string
	Attributes                        map[string][]string
	Media                             []Upload `json:"-"`
	MediaDigest                       string   // of Media, so that a repeat can be told
	Outside                           string   `json:"-"` // the partner's own mark of the request, for repeats; ""
}

// contact is who asked, sealed.
type contact struct {
	Email     string `json:"email,omitempty"`
	DeviceID  string `json:"deviceId,omitempty"`
	AccountID string `json:"accountId,omitempty"`
	Name      string `json:"name,omitempty"`
	Phone     string `json:"phone,omitempty"`
}

// contactPlace binds a sealed contact to its request's digest.
func contactPlace(digest string) string { return "intake.contact:" + digest }

// requestRow is the public side of a ticket that a partner brought, or of a request that waits to be one.
type requestRow struct {
	bun.BaseModel `bun:"table:intake_requests,alias:r"`

	ID          int64     `bun:"id,pk,autoincrement"`
	KeyID       int64     `bun:"key_id,notnull"`
	Outside     string    `bun:"outside,nullzero"`
	Digest      string    `bun:"digest,notnull"`
	TicketID    int64     `bun:"ticket_id,nullzero"`
	MessageID   int64     `bun:"message_id,nullzero"`
	Number      string    `bun:"number,nullzero"`
	Token       string    `bun:"token,nullzero"`
	Code        string    `bun:"code,notnull"`
	Datum       Datum     `bun:"datum,notnull"` // in which the coordinates came; they are kept in WGS84
	Lat         *float64  `bun:"lat"`
	Long        *float64  `bun:"long"`
	Address     string    `bun:"address,notnull"`
	AddressID   string    `bun:"address_id,notnull"`
	Zip         string    `bun:"zip,notnull"`
	MediaURL    string    `bun:"media_url,notnull,type:text"`
	Description string    `bun:"description,notnull,type:text"`
	Contact     string    `bun:"contact,notnull,type:text"`
	PublicText  string    `bun:"public_text,notnull,type:text"`
	Hidden      bool      `bun:"hidden,notnull"` // the ticket is confidential
	State       string    `bun:"state,notnull"`
	Note        string    `bun:"note,notnull"`
	Agency      string    `bun:"agency,notnull"`
	CreatedAt   time.Time `bun:"created_at,notnull"`
	UpdatedAt   time.Time `bun:"updated_at,notnull"`
	DueAt       time.Time `bun:"due_at,notnull"`
}

// The public states.
const (
	requestOpen   = "open"
	requestClosed = "closed"
)

// Receipt answers a report: the number of its ticket, or a token while it waits for somebody to look at it.
type Receipt struct{ Number, Token, AccountID string }

func invalid(field, format string, args ...any) error {
	return fault.InvalidField(field, "OPEN311_INPUT", fmt.Sprintf(format, args...))
}

// mostDescription is the standard's.
const mostDescription = 4000

// check cleans what came and says everything that is wrong with it.
func (r *Report) check() error {
	var wrong []error
	line := func(field string, value *string, longest int) {
		v, err := text.Line(field, *value, 0, longest)
		*value = v
		if err != nil {
			wrong = append(wrong, invalid(field, "%s 含有无法识别的字符或超过 %d 个字", field, longest))
		}
	}
	line("address_string", &r.Address, 200)
	line("address_id", &r.AddressID, 50)
	line("zipcode", &r.Zip, 20)
	line("email", &r.Email, 120)
	line("phone", &r.Phone, 30)
	line("first_name", &r.FirstName, 24)
	line("last_name", &r.LastName, 24)
	line("device_id", &r.DeviceID, 100)
	line("account_id", &r.AccountID, 100)
	line("media_url", &r.MediaURL, 500)
	var err error
	if r.Description, err = text.Block("description", r.Description, 0, mostDescription); err != nil {
		wrong = append(wrong, invalid("description", "description 最多 %d 个字，且不能含控制字符", mostDescription))
	}
	if u, err := url.Parse(r.MediaURL); r.MediaURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		wrong = append(wrong, invalid("media_url", "media_url 须为 http 或 https 地址"))
	}
	switch {
	case (r.Lat == nil) != (r.Long == nil):
		wrong = append(wrong, invalid("lat", "lat 与 long 须同时给出"))
	case r.Lat != nil && !(*r.Lat >= -90 && *r.Lat <= 90 && *r.Long >= -180 && *r.Long <= 180):
		wrong = append(wrong, invalid("lat", "lat 须在 -90 到 90 之间，long 须在 -180 到 180 之间"))
	case r.Datum != WGS84 && r.Datum != GCJ02:
		wrong = append(wrong, invalid("datum", "datum 须为 wgs84 或 gcj02"))
	}
	if r.Description == "" && len(r.Attributes) == 0 && r.MediaURL == "" && len(r.Media) == 0 {
		wrong = append(wrong, invalid("description", "请填写 description，或给出 attribute、media"))
	}
	return fault.Merge(wrong...)
}

// name is the contact as people write it here: family name first in Chinese.
func (r *Report) name() string {
	switch {
	case r.FirstName == "" || r.LastName == "":
		return r.FirstName + r.LastName
	case strings.ContainsFunc(r.LastName, func(c rune) bool { return unicode.Is(unicode.Han, c) }):
		return r.LastName + r.FirstName
	}
	return r.FirstName + " " + r.LastName
}

// wgs returns the coordinates in WGS84.
func (r *Report) wgs() (lat, long *float64) {
	if r.Lat == nil {
		return nil, nil
	}
	y, x := *r.Lat, *r.Long
	if r.Datum == GCJ02 {
		y, x = ToWGS84(y, x)
	}
	return &y, &x
}

// body is the text of the ticket: what was written, and below it what came with it.
func (r *Report) body(partner string, answers []string) string {
	var b strings.Builder
	b.WriteString(orElse(r.Description, "（对接方没有填写说明）"))
	b.WriteString("\n")
	add := func(label, value string) {
		if value != "" {
			b.WriteString("\n" + label + "：" + value)
		}
	}
	for _, a := range answers {
		b.WriteString("\n" + a)
	}
	add("地点", strings.TrimSpace(r.Address+" "+r.Zip))
	add("地点编号", r.AddressID)
	if lat, long := r.wgs(); lat != nil {
		add("坐标", fmt.Sprintf("%.6f, %.6f（WGS84）", *lat, *long))
	}
	add("照片链接", r.MediaURL)
	if r.Phone == "" {
		add("联系邮箱", r.Email)
	}
	add("来自", partner)
	return b.String()
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

var (
	errService = fault.New(fault.NotFound, "OPEN311_SERVICE", "没有这个 service_code，或该服务未开放（unknown service_code）")
	errNotYour = fault.New(fault.Forbidden, "OPEN311_SCOPE", "该 api_key 不能提交此服务的诉求（service not allowed for this api_key）")
	errRepeat  = errors.New("intake: the same report came at once")
)

// Take files what a partner reports, and returns when it is committed. The same mark of the same partner answers with the
// first receipt. It returns errKey, errQuota, errService, errNotYour or an Invalid fault.
func (s *Service) Take(ctx context.Context, apiKey string, r Report) (Receipt, error) {
	k, err := s.spend(ctx, apiKey)
	if err != nil {
		return Receipt{}, err
	}
	all, err := s.offeredNow(ctx)
	if err != nil {
		return Receipt{}, err
	}
	i := slices.IndexFunc(all, func(v ServiceView) bool { return v.Code == r.Code })
	switch {
	case i < 0:
		return Receipt{}, errService
	case !k.allows(r.Code):
		return Receipt{}, errNotYour
	}
	if err := r.check(); err != nil {
		return Receipt{}, err
	}
	lines, err := s.answers(ctx, &r)
	if err != nil {
		return Receipt{}, err
	}
	row, err := s.requestOf(k, r)
	if err != nil {
		return Receipt{}, err
	}
	if done, err := s.repeated(ctx, row, r.AccountID); err != nil || done != nil {
		return orZero(done), err
	}
	fileIDs, err := s.keepMedia(ctx, r.Media)
	if err != nil {
		return Receipt{}, err
	}
	body := r.body(k.Partner, lines)
	if err := failpoint.Hit("intake.report-kept"); err != nil {
		return Receipt{}, err
	}
	if k.Review {
		err = s.hold(ctx, k, &row, r, all[i].Name, body, fileIDs)
	} else {
		err = s.Desk.Open(ctx, access.SystemActor("open311"), Filing{Channel: Open311, Type: r.Code, Title: all[i].Name + "：" + summary(r.Description), Body: body,
			ContactName: orElse(r.name(), "未留姓名"), Phone: r.Phone, FileIDs: fileIDs,
			Within: func(ctx context.Context, tx bun.Tx, f Filed) error {
				row.TicketID, row.Number, row.DueAt = f.ID, f.Number, f.DueAt
				return putRequest(ctx, tx, &row)
			}})
	}
	if errors.Is(err, errRepeat) {
		done, err := s.repeated(ctx, row, r.AccountID)
		return orZero(done), err
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("take a report: %w", err)
	}
	if err := failpoint.Hit("intake.report-filed"); err != nil {
		return Receipt{}, err
	}
	return Receipt{Number: row.Number, Token: row.Token, AccountID: r.AccountID}, nil
}

func orZero(r *Receipt) Receipt {
	if r == nil {
		return Receipt{}
	}
	return *r
}

// summary is the beginning of a text on one line.
func summary(s string) string {
	return orElse(text.Truncate(strings.Join(strings.Fields(s), " "), 40), "见附件")
}

func putRequest(ctx context.Context, tx bun.Tx, row *requestRow) error {
	_, err := tx.NewInsert().Model(row).ExcludeColumn("id").Returning("id").Exec(ctx)
	if database.IsDuplicate(err) {
		return errRepeat
	}
	return err
}

func (s *Service) requestOf(k partnerKey, r Report) (requestRow, error) {
	h := sha256.New()
	for _, m := range r.Media {
		fmt.Fprintf(h, "%d:", len(m.Content))
		_, _ = h.Write(m.Content)
	}
	r.MediaDigest = hex.EncodeToString(h.Sum(nil))
	told, err := json.Marshal(r)
	if err != nil {
		return requestRow{}, err
	}
	sum := sha256.Sum256(told)
	digest := hex.EncodeToString(sum[:])
	who, err := json.Marshal(contact{r.Email, r.DeviceID, r.AccountID, r.name(), r.Phone})
	if err != nil {
		return requestRow{}, err
	}
	now := s.Clock.Now()
	lat, long := r.wgs()
	return requestRow{KeyID: k.ID, Outside: r.Outside, Digest: digest, Code: r.Code, Datum: r.Datum, Lat: lat, Long: long, Address: r.Address, AddressID: r.AddressID,
		Zip: r.Zip, MediaURL: r.MediaURL, Description: r.Description, Contact: s.Box.Seal(who, contactPlace(digest)), State: requestOpen, Note: notes["received"].note,
		CreatedAt: now, UpdatedAt: now, DueAt: now}, nil
}

// repeated finds the receipt of a report that came before under the partner's own mark.
func (s *Service) repeated(ctx context.Context, row requestRow, account string) (*Receipt, error) {
	if row.Outside == "" {
		return nil, nil
	}
	var first requestRow
	err := database.Found(s.DB.Read().NewSelect().Model(&first).Where("r.key_id = ? AND r.outside = ?", row.KeyID, row.Outside).Scan(ctx))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case first.Digest != row.Digest:
		return nil, invalid("Idempotency-Key", "该 Idempotency-Key 已用于另一件诉求，请换一个")
	}
	return &Receipt{Number: first.Number, Token: first.Token, AccountID: account}, nil
}

// keepMedia keeps what came with a report; until a ticket claims it, it is nobody's and is swept.
func (s *Service) keepMedia(ctx context.Context, media []Upload) ([]int64, error) {
	var ids []int64
	for _, m := range media {
		v, err := s.Files.Save(ctx, access.SystemActor("open311"), m.Name, bytes.NewReader(m.Content))
		if err != nil {
			return nil, err
		}
		ids = append(ids, v.ID)
	}
	return ids, nil
}

// hold puts the report of a partner that is looked at first into the inbox.
func (s *Service) hold(ctx context.Context, k partnerKey, row *requestRow, r Report, service, body string, fileIDs []int64) error {
	row.Token = secret.Token()
	row.Note = "等待平台核实"
	m := message{Channel: Open311, Mark: "open311:" + row.Token, State: Pending, Version: 1, SenderName: orElse(r.name(), k.Partner), Subject: service + "：" + summary(r.Description),
		Body: body, Code: r.Code, ReceivedAt: row.CreatedAt}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		m, row := m, row
		m.Sender = s.Box.Seal([]byte(r.Phone), senderPlace(m.Mark))
		if err := s.putMessage(ctx, tx, &m, fileIDs); err != nil {
			return err
		}
		row.MessageID = m.ID
		return putRequest(ctx, tx, row)
	})
}
