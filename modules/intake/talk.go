package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// Note is what a follower of the WeChat account sent or did. Key is the same for a repeat.
type Note struct {
	Key    string
	OpenID string
	Kind   NoteKind
	// Text is what was written or recognised, the label of a place, or the key of the menu.
	Text      string
	MediaID   string
	Lat, Long float64 // of a place, in GCJ-02
}

// NoteKind is what a note is.
type NoteKind string

// The kinds; any other is answered with what the account understands.
const (
	Said     NoteKind = "said"     // a text, or the words of a voice message
	Picture  NoteKind = "picture"  // MediaID
	Place    NoteKind = "place"    // Lat, Long and Text
	Pressed  NoteKind = "pressed"  // a key of the menu: ask, query
	Followed NoteKind = "followed" // the person has just subscribed
	Mumbled  NoteKind = "mumbled"  // a voice message without words
)

// talk is what a follower writes until it is a ticket.
type talk struct {
	bun.BaseModel `bun:"table:intake_talks,alias:t"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Blind     string    `bun:"blind,notnull"`
	OpenID    string    `bun:"open_id,notnull,type:text"`
	State     string    `bun:"state,notnull"`
	Text      string    `bun:"text,notnull,type:text"`
	Media     string    `bun:"media,notnull,type:text"` // ids, as JSON
	Place     string    `bun:"place,notnull,type:text"`
	Matter    string    `bun:"matter,notnull"` // the first digits of the type chosen so far, then its code
	TouchedAt time.Time `bun:"touched_at,notnull"`
	Wrong     int64     `bun:"wrong,notnull"` // tries at a query code, since WrongAt
	WrongAt   time.Time `bun:"wrong_at,notnull"`
	Version   int64     `bun:"version,notnull"`
}

// The states of a talk.
const (
	idle     = "idle"
	writing  = "writing"
	choosing = "choosing" // what it is about
	filing   = "filing"   // its pictures are being fetched; then it is a ticket
)

const (
	talkPurpose  = "intake.talk"
	talkLife     = 10 * time.Minute // without a word, a person is asked whether they go on
	mostTalkText = 1800
	mostTries    = 5
	triesSpan    = time.Hour
)

// seenNote is a note that was answered.
type seenNote struct {
	bun.BaseModel `bun:"table:intake_seen,alias:s"`

	Key    string    `bun:"key,pk"`
	Answer string    `bun:"answer,notnull,type:text"`
	At     time.Time `bun:"at,notnull"`
}

type talkArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (talkArgs) Kind() string { return "intake.file_talk" }

// tellArgs asks to tell a follower of the ticket that their talk became.
type tellArgs struct {
	TalkID int64  `json:"talkId"`
	Key    string `json:"key"` // of the answer in intake_seen
}

// Kind names the job.
func (tellArgs) Kind() string { return "intake.tell" }

const help = "发送“诉求”开始提交诉求，可以接着发文字、图片、语音和位置，写完发送“完成”；\n发送“查询 流水号 查询码”查看办理进度，例如：查询 GD20261122-000123 123456"

var asking = regexp.MustCompile(`^查询\s*([A-Za-z]{2}\d{8}-\d{6,})\D+(\d{6})$`)

// errLost: another note of the same person came at once; the one that lost begins anew.
var errLost = errors.New("intake: the talk moved on")

// Answer takes a note in and returns what the person is answered at once, "" for nothing. What it leads to is committed
// when it returns; a repeat gets the first answer.
func (s *Service) Answer(ctx context.Context, n Note) (string, error) {
	if s.Accounts == nil || s.Wechat == nil {
		return "", fault.ErrNotFound
	}
	for range 5 {
		answer, err := s.answer(ctx, n)
		if !errors.Is(err, errLost) {
			return answer, err
		}
	}
	return "", fault.ErrUnavailable.Wrap(errLost)
}

func (s *Service) answer(ctx context.Context, n Note) (string, error) {
	if told, err := s.told(ctx, n.Key); err != nil || told != nil {
		if told == nil {
			return "", err
		}
		return *told, nil
	}
	t, err := s.talkOf(ctx, n.OpenID)
	if err != nil {
		return "", err
	}
	before := t.Version
	step, err := s.next(ctx, &t, n)
	if err != nil {
		return "", err
	}
	if step.file != nil {
		return s.fileNow(ctx, *step.file, t, before, n.Key)
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		t := t
		if err := s.keepTalk(ctx, tx, &t, before, n.Key, step.answer); err != nil {
			return err
		}
		if t.State == filing {
			return s.queue.Insert(ctx, tx, talkArgs{t.ID}, jobs.On(jobs.Delivery))
		}
		return nil
	})
	return step.answer, err
}

// told is the answer to a note that came before, nil when it did not.
func (s *Service) told(ctx context.Context, key string) (*string, error) {
	var row seenNote
	err := database.Found(s.DB.Writer().NewSelect().Model(&row).Where("s.key = ?", key).Scan(ctx))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &row.Answer, err
}

func (s *Service) talkOf(ctx context.Context, openID string) (talk, error) {
	var t talk
	err := database.Found(s.DB.Read().NewSelect().Model(&t).Where("t.blind IN ?", bun.Tuple(s.Box.Blinds(talkPurpose, openID))).Scan(ctx))
	if errors.Is(err, ErrNotFound) {
		return talk{Blind: s.Box.Blind(talkPurpose, openID), OpenID: s.Box.Seal([]byte(openID), openIDPlace), State: idle, Media: "[]"}, nil
	}
	return t, err
}

// keepTalk writes the talk and the answer to the note; errLost when either is not as it was read.
func (s *Service) keepTalk(ctx context.Context, tx bun.Tx, t *talk, before int64, key, answer string) error {
	row := seenNote{Key: key, Answer: answer, At: s.Clock.Now()}
	res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return errLost
	}
	if t.Version = before + 1; t.ID != 0 {
		err := database.Changed(tx.NewUpdate().Model(t).Column("state", "text", "media", "place", "matter", "touched_at", "wrong", "wrong_at", "version").
			Where("id = ? AND version = ?", t.ID, before).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return errLost
		}
		return err
	}
	res, err = tx.NewInsert().Model(t).ExcludeColumn("id").On("CONFLICT DO NOTHING").Returning("id").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return errLost
	}
	return nil
}

// step is what a note leads to.
type step struct {
	answer string
	file   *access.Actor // the talk becomes the ticket of this person
}

// next moves the talk on.
func (s *Service) next(ctx context.Context, t *talk, n Note) (step, error) {
	now := s.Clock.Now()
	said := strings.TrimSpace(text.Visible(n.Text))
	word := strings.Trim(said, " 　。.！!“”\"")
	stale := t.State == writing && now.Sub(t.TouchedAt) > talkLife
	switch {
	case t.State == filing:
		return step{answer: "您的诉求正在提交，请稍候，受理后会把流水号发给您。"}, nil
	case n.Kind == Followed:
		return step{answer: "您好，这里是" + s.District + "惠企台。\n" + help}, nil
	case n.Kind == Pressed && n.Text == "query", n.Kind == Said && word == "查询":
		return step{answer: "请发送“查询 流水号 查询码”，例如：查询 GD20261122-000123 123456。流水号和查询码在受理时告知您。"}, nil
	case n.Kind == Said && asking.MatchString(said):
		return s.query(ctx, t, asking.FindStringSubmatch(said))
	case n.Kind == Said && word == "取消" && t.State != idle:
		s.empty(t)
		return step{answer: "已取消，刚才写的内容没有提交。"}, nil
	case n.Kind == Said && word == "完成" && t.State == writing:
		return s.finish(ctx, t, n.OpenID)
	case n.Kind == Said && word == "继续" && t.State != idle:
		t.State, t.TouchedAt = writing, now
		return step{answer: "好的，请接着写。写完发送“完成”，不提交发送“取消”。"}, nil
	case n.Kind == Pressed && n.Text == "ask" && !stale, n.Kind == Said && word == "诉求":
		if t.State == writing && !stale {
			return step{answer: "您的诉求已开始填写，请接着写。写完发送“完成”，不提交发送“取消”。"}, nil
		}
		s.empty(t)
		t.State, t.TouchedAt = writing, now
		return step{answer: "请写明您的诉求：什么事、在哪里、希望怎样解决。可以分几条发，也可以发图片、语音和位置。写完发送“完成”，不提交发送“取消”。"}, nil
	case t.State == choosing:
		return s.choose(ctx, t, n, word)
	case stale:
		return step{answer: "您有一份没有提交的诉求：“" + summary(t.Text) + "”。\n发送“继续”接着写，“完成”提交，“取消”放弃，“诉求”重新开始。"}, nil
	case t.State == idle && n.Kind == Said && strings.HasPrefix(said, "诉求"):
		s.empty(t)
		t.State = writing
		said = strings.TrimLeft(strings.TrimPrefix(said, "诉求"), " 　：:，,")
	case t.State == idle:
		return step{answer: "您好，这里是" + s.District + "惠企台。\n" + help}, nil
	}
	return s.add(t, n, said), nil
}

func (s *Service) empty(t *talk) {
	t.State, t.Text, t.Media, t.Place, t.Matter = idle, "", "[]", "", ""
}

func (t *talk) media() []string {
	var list []string
	_ = json.Unmarshal([]byte(t.Media), &list) // we wrote it
	return list
}

// add puts a note into the talk.
func (s *Service) add(t *talk, n Note, said string) step {
	t.TouchedAt = s.Clock.Now()
	switch n.Kind {
	case Said:
		if utf8.RuneCountInString(t.Text)+utf8.RuneCountInString(said) > mostTalkText {
			return step{answer: fmt.Sprintf("文字最多 %d 个字，这一条没有记下。请精简后再发，或发送“完成”提交。", mostTalkText)}
		}
		t.Text = strings.TrimSpace(t.Text + "\n" + said)
		return step{answer: "已记下。写完发送“完成”，不提交发送“取消”。"}
	case Picture:
		list := t.media()
		if len(list) >= mostMedia {
			return step{answer: fmt.Sprintf("图片最多 %d 张，这一张没有记下。", mostMedia)}
		}
		raw, _ := json.Marshal(append(list, n.MediaID))
		t.Media = string(raw)
		return step{answer: fmt.Sprintf("已收到第 %d 张图片。写完发送“完成”。", len(list)+1)}
	case Place:
		lat, long := ToWGS84(n.Lat, n.Long)
		t.Place = fmt.Sprintf("地点：%s\n坐标：%.6f, %.6f（WGS84）", orElse(text.Truncate(said, 100), "微信位置"), lat, long)
		return step{answer: "已记下位置。写完发送“完成”。"}
	case Mumbled:
		return step{answer: "没有听清语音内容，请改用文字，或再说一遍。"}
	}
	return step{answer: "这种消息暂时不能识别，请发送文字、图片、语音或位置。写完发送“完成”。"}
}

// finish has the talk become a ticket, when it says something and we know whose it is.
func (s *Service) finish(ctx context.Context, t *talk, openID string) (step, error) {
	if t.Text == "" {
		return step{answer: "还没有写诉求内容，请先用文字或语音说明什么事、在哪里、希望怎样解决。"}, nil
	}
	if _, err := s.Accounts.ByOpenID(ctx, openID); errors.Is(err, ErrNotFound) {
		return s.unbound(t), nil
	} else if err != nil {
		return step{}, err
	}
	t.State, t.Matter, t.TouchedAt = choosing, "", s.Clock.Now()
	list, err := s.choices(ctx, "")
	return step{answer: ask("请回复数字，选择诉求的类别：", list)}, err
}

// unbound asks a person without an account to make or to bind one, and keeps what they wrote for an hour.
func (s *Service) unbound(t *talk) step {
	t.State, t.TouchedAt = writing, s.Clock.Now().Add(time.Hour-talkLife)
	link := s.PublicURL + "/wechat/authorize?" + url.Values{"return": {"/m/"}}.Encode()
	return step{answer: "还差一步：请点开下面的链接登录或注册，绑定您的企业和联系电话，再回到这里发送“完成”。写好的内容为您保留一小时。\n" + link}
}

// keepSeen is how long the answer to a note is kept; WeChat repeats within seconds.
const keepSeen = 3 * 24 * time.Hour

// forget removes what repeats are known by, in short transactions.
func (s *Service) forget(ctx context.Context) error {
	before := s.Clock.Now().Add(-keepSeen)
	for {
		var n int64
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			old := tx.NewSelect().Model((*seenNote)(nil)).Column("s.key").Where("s.at < ?", before).OrderExpr("s.at").Limit(500)
			res, err := tx.NewDelete().Model((*seenNote)(nil)).Where("key IN (?)", old).Exec(ctx)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n < 500 {
			return err
		}
	}
}
