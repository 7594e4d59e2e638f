package identity

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// LogItem is one entry of the audit log.
type LogItem struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	ActorID   int64     `json:"actorId"`
	ActorName string    `json:"actorName"`
	Party     string    `json:"party"`
	IP        string    `json:"ip"`
	Action    string    `json:"action"`
	Object    string    `json:"object"`
	ObjectID  int64     `json:"objectId"`
	Summary   string    `json:"summary"`
}

// LogView is one entry with all that is kept of it.
type LogView struct {
	LogItem
	TraceID string          `json:"traceId"`
	Detail  json.RawMessage `json:"detail"`
	Sealed  bool            `json:"sealed"`
}

// LogFilter narrows what is read of the audit log.
type LogFilter struct {
	From, Until time.Time
	Actor       string // part of a name, or the id of a person
	Object      string
	ObjectID    int64
	Action      string // of one thing, or with a dot at its end of a module
	Cursor      string
	Limit       int
}

// ErrManyActors is returned when a name belongs to too many people to look for.
var ErrManyActors = fault.InvalidField("actor", "MANY_ACTORS", "符合的人员过多，请输入完整的姓名")

const maxActors = 200

// AuditLog returns a page of the audit log, newest first, and the cursor of the next page. It needs audit.view, and is
// itself written into the log.
func (s *Service) AuditLog(ctx context.Context, actor access.Actor, f LogFilter) ([]LogItem, string, error) {
	if err := actor.Need("audit.view"); err != nil {
		return nil, "", err
	}
	query := audit.Filter{From: f.From, Until: f.Until, Object: f.Object, ObjectID: f.ObjectID, Action: f.Action, Cursor: f.Cursor, Limit: f.Limit}
	if who := strings.TrimSpace(f.Actor); who != "" {
		query.Systems = who
		if id, err := strconv.ParseInt(who, 10, 64); err == nil && id > 0 {
			query.Actors, query.Systems = []int64{id}, ""
		} else if err := s.DB.Read().NewSelect().Model((*user)(nil)).Column("id").Where("name LIKE ? ESCAPE '!' OR account = ?", "%"+likeEscape.Replace(who)+"%", strings.ToLower(who)).
			OrderExpr("id").Limit(maxActors+1).Scan(ctx, &query.Actors); err != nil {
			return nil, "", err
		}
		if len(query.Actors) > maxActors {
			return nil, "", ErrManyActors
		}
	}
	rows, next, err := audit.List(ctx, s.DB.Read(), query)
	if err != nil {
		return nil, "", err
	}
	items := make([]LogItem, 0, len(rows))
	for _, e := range rows {
		items = append(items, logItem(e))
	}
	looked, _ := text.MaskNumbers(f.Actor)
	detail := map[string]any{"from": f.From, "until": f.Until, "actor": looked, "object": f.Object, "objectId": f.ObjectID, "action": f.Action, "rows": len(items)}
	return items, next, s.looked(ctx, actor, "identity.audit_list", "audit", 0, "查询审计日志", detail)
}

func logItem(e audit.Entry) LogItem {
	return LogItem{ID: e.ID, At: e.At.UTC(), ActorID: e.ActorID, ActorName: e.ActorName, Party: e.Party, IP: e.IP, Action: e.Action, Object: e.Object,
		ObjectID: e.ObjectID, Summary: e.Summary}
}

// looked writes down that the log was read.
func (s *Service) looked(ctx context.Context, actor access.Actor, action, object string, id int64, summary string, detail any) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: action, Object: object, ObjectID: id, Summary: summary, Detail: detail})
	})
}

// AuditEntry returns one entry of the audit log. It needs audit.view, and is itself written into the log.
func (s *Service) AuditEntry(ctx context.Context, actor access.Actor, id int64) (LogView, error) {
	if err := actor.Need("audit.view"); err != nil {
		return LogView{}, err
	}
	e, err := audit.Find(ctx, s.DB.Read(), id)
	if err != nil {
		return LogView{}, err
	}
	v := LogView{LogItem: logItem(e), TraceID: e.TraceID, Detail: json.RawMessage(e.Detail)}
	if v.Sealed, err = audit.Sealed(ctx, s.DB.Read(), id); err != nil {
		return v, err
	}
	return v, s.looked(ctx, actor, "identity.audit_read", "audit", id, "查看审计日志详情", nil)
}

// AuditSeals says how far the audit log is sealed. It needs audit.view.
func (s *Service) AuditSeals(ctx context.Context, actor access.Actor) (audit.Seals, error) {
	if err := actor.Need("audit.view"); err != nil {
		return audit.Seals{}, err
	}
	return audit.SealState(ctx, s.DB.Read())
}
