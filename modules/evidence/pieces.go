package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Head is what every fact says about its case.
type Head struct {
	ID              int64  `json:"id"`
	Object          string `json:"object"`
	ObjectID        int64  `json:"objectId"`
	Number          string `json:"number"`
	Title           string `json:"title"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`
}

func (c Case) head(id int64) Head {
	return Head{ID: id, Object: c.Object, ObjectID: c.ID, Number: c.Number, Title: c.Title, InstitutionID: c.InstitutionID, InstitutionName: c.InstitutionName,
		EnterpriseID: c.EnterpriseID, EnterpriseName: c.EnterpriseName, UserID: c.UserID}
}

// Added is announced when a side gives evidence; ID is its first piece.
type Added struct {
	Head
	Side   Side   `json:"side"`
	Item   string `json:"item"`
	Count  int    `json:"count"`
	Shared bool   `json:"shared"`
}

// Assessed is announced when the government assesses a case.
type Assessed struct {
	Head
	Target Target `json:"target"`
	Score  int    `json:"score"`
	Again  bool   `json:"again"`
}

// ObjectAssessment is the name of an assessment in events and audit rows.
const ObjectAssessment = "evidence_assessment"

// Event names the fact.
func (f Added) Event() (string, string, int64) { return "evidence.added", Object, f.ID }

// Event names the fact.
func (f Assessed) Event() (string, string, int64) {
	return "evidence.assessed", ObjectAssessment, f.ID
}

// PieceView is a piece of evidence as it is shown.
type PieceView struct {
	ID      int64     `json:"id"`
	Item    string    `json:"item"`
	Name    string    `json:"name" doc:"Of the item; 其他 for none."`
	Side    Side      `json:"side" enum:"institution,enterprise"`
	File    FileView  `json:"file"`
	Note    string    `json:"note"`
	Shared  bool      `json:"shared"`
	By      string    `json:"by" doc:"The name of the side for the other one."`
	At      time.Time `json:"at"`
	Removes bool      `json:"removes" doc:"The asker may take it away."`
}

// ItemView is an item of the checklist with how much of it there is.
type ItemView struct {
	Item
	Given   int  `json:"given"`
	Missing bool `json:"missing" doc:"Required, and not all there. Of the other side's, what is not shared is not counted."`
}

// View is the evidence of a case as one actor may see it.
type View struct {
	Number      string           `json:"number"`
	Title       string           `json:"title"`
	Items       []ItemView       `json:"items"`
	Pieces      []PieceView      `json:"pieces"`
	Missing     int              `json:"missing" doc:"Items that are missing, of all sides whose evidence the asker sees."`
	Side        Side             `json:"side" enum:",institution,enterprise" doc:"For which side the asker may add; empty for none."`
	Closed      string           `json:"closed,omitempty" doc:"Why nothing may be added."`
	Assesses    bool             `json:"assesses"`
	Assessments []AssessmentView `json:"assessments"`
}

// Of returns the evidence of a case.
func (s *Service) Of(ctx context.Context, actor access.Actor, object string, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	c, err := s.caseOf(ctx, db, actor, object, id)
	if err != nil {
		return View{}, err
	}
	list, err := listInForce(ctx, db, c.Kind)
	if err != nil {
		return View{}, err
	}
	var rows []piece
	err = db.NewSelect().Model(&rows).Where("p.object = ? AND p.object_id = ? AND p.removed_at IS NULL", object, id).OrderExpr("p.id").Limit(300).Scan(ctx)
	if err != nil {
		return View{}, err
	}
	out := View{Number: c.Number, Title: c.Title, Items: []ItemView{}, Pieces: []PieceView{}, Assessments: []AssessmentView{}}
	own, adds := c.side(actor)
	closed := c.open(s.Clock.Now())
	if f, ok := fault.As(closed); ok {
		out.Closed = f.Message
	}
	if adds && closed == nil {
		out.Side = own
	}
	rows = slices.DeleteFunc(rows, func(p piece) bool { return !p.shows(actor) })
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].FileID)
	}
	files, err := s.Files.Known(ctx, db, ids)
	if err != nil {
		return View{}, err
	}
	given := map[string]int{}
	for i := range rows {
		p := &rows[i]
		given[p.Item]++
		v := PieceView{ID: p.ID, Item: p.Item, Name: p.ItemName, Side: p.Side, Note: p.Note, Shared: p.Shared, By: p.By, At: p.At.UTC(),
			File: files[p.FileID], Removes: adds && closed == nil && p.Side == own}
		if own != "" && own != p.Side && c.Side == "" {
			v.By = c.InstitutionName
			if p.Side == Enterprise {
				v.By = c.EnterpriseName
			}
		}
		out.Pieces = append(out.Pieces, v)
	}
	for _, it := range list.Items {
		v := ItemView{Item: it, Given: given[it.Code], Missing: it.Required && given[it.Code] < it.Min}
		if v.Missing {
			out.Missing++
		}
		out.Items = append(out.Items, v)
	}
	if own != Enterprise {
		out.Assesses = assesses(actor) && c.Begun && c.Over == ""
		if out.Assessments, err = s.assessmentsOf(ctx, db, actor, c); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Add lays files beside a case.
type Add struct {
	Object  string
	ID      int64
	Item    string
	FileIDs []int64
	Note    string
	Shared  bool
	Key     string
}

// maxPieces bounds the evidence of one side of a case.
const maxPieces = 60

// Add keeps the files as evidence of the actor's side. It returns ErrNotFound when the actor cannot see the case, ErrForbidden for
// those of neither side, ErrEarly and ErrEnded.
func (s *Service) Add(ctx context.Context, actor access.Actor, cmd Add) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	if err := cmd.check(); err != nil {
		return err
	}
	request := cmd
	request.FileIDs = nil // tied already when the same command comes again
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "evidence.add", Key: cmd.Key, Request: request, Now: now}, func() (bool, error) {
			c, err := s.caseOf(ctx, tx, actor, cmd.Object, cmd.ID)
			if err != nil {
				return false, err
			}
			first, item, err := s.lay(ctx, tx, actor, c, cmd, now)
			if err != nil {
				return false, err
			}
			_, err = event.Append(ctx, tx, actor, now, Added{c.head(first.ID), first.Side, item.Name, len(cmd.FileIDs), cmd.Shared})
			return true, err
		})
		return err
	})
}

// Lay keeps the files of a case that is being recorded in the same transaction, as evidence that both sides see. Who hears of the record
// hears of its evidence: nothing is announced.
func (s *Service) Lay(ctx context.Context, tx bun.Tx, actor access.Actor, object string, id int64, fileIDs []int64) error {
	cmd := Add{Object: object, ID: id, FileIDs: fileIDs, Shared: true}
	if err := cmd.check(); err != nil {
		return err
	}
	c, err := s.caseOf(ctx, tx, actor, object, id)
	if err != nil {
		return err
	}
	_, _, err = s.lay(ctx, tx, actor, c, cmd, s.Clock.Now())
	return err
}

func (cmd *Add) check() error {
	note, err := text.Line("note", cmd.Note, 0, 200)
	if err != nil {
		return text.Named(err, "说明")
	}
	cmd.Note = note
	if len(cmd.FileIDs) == 0 || len(cmd.FileIDs) > 9 {
		return fault.InvalidField("files", "EVIDENCE_FILES", "请选择 1 至 9 个文件")
	}
	slices.Sort(cmd.FileIDs)
	if len(slices.Compact(slices.Clone(cmd.FileIDs))) != len(cmd.FileIDs) {
		return fault.InvalidField("files", "EVIDENCE_FILES", "同一个文件选择了两次")
	}
	return nil
}

// lay keeps the files and returns the first piece of them.
func (s *Service) lay(ctx context.Context, tx bun.Tx, actor access.Actor, c Case, cmd Add, now time.Time) (*piece, Item, error) {
	side, gives := c.side(actor)
	if !gives {
		return nil, Item{}, ErrForbidden
	}
	if err := c.open(now); err != nil {
		return nil, Item{}, err
	}
	item, err := itemFor(ctx, tx, c.Kind, cmd.Item, side)
	if err != nil {
		return nil, item, err
	}
	n, err := tx.NewSelect().Model((*piece)(nil)).Where("p.object = ? AND p.object_id = ? AND p.side = ? AND p.removed_at IS NULL", cmd.Object, cmd.ID, side).Count(ctx)
	if err != nil {
		return nil, item, err
	}
	if int(n)+len(cmd.FileIDs) > maxPieces {
		return nil, item, fault.InvalidField("files", "EVIDENCE_FILES", fmt.Sprintf("每方最多 %d 个佐证文件，请先删除不需要的", maxPieces))
	}
	files, err := s.Files.Known(ctx, tx, cmd.FileIDs)
	if err != nil {
		return nil, item, err
	}
	var first *piece
	for _, id := range cmd.FileIDs {
		p := piece{CaseObject: cmd.Object, CaseID: cmd.ID, InstitutionID: c.InstitutionID, EnterpriseID: c.EnterpriseID, Side: side, Item: item.Code, ItemName: item.Name,
			FileID: id, Note: cmd.Note, Shared: cmd.Shared, ByID: actor.UserID, By: actor.Name, At: now}
		err := database.Insert(ctx, tx, &p)
		if database.IsDuplicate(err) {
			return nil, item, ErrNotFound // somebody's evidence already
		}
		if err != nil {
			return nil, item, err
		}
		// What is said of a file below is said to its owner only.
		if err := s.Files.Claim(ctx, tx, actor, id, Object, p.ID); err != nil {
			return nil, item, err
		}
		if f := files[id]; !item.fits(f.Mime) {
			return nil, item, fault.InvalidField("files", "EVIDENCE_FILES", "“"+f.Name+"”不是"+fileKinds[item.Files]+"，“"+item.Name+"”须上传"+fileKinds[item.Files])
		}
		if first == nil {
			first = &p
		}
	}
	return first, item, audit.Write(ctx, tx, actor, now, audit.Record{Action: "evidence.add", Object: Object, ObjectID: first.ID, Summary: "上传服务佐证 " + c.Number,
		Detail: map[string]any{"item": item.Code, "files": cmd.FileIDs, "shared": cmd.Shared}})
}

// itemFor is the item of the checklist, or the one for everything else.
func itemFor(ctx context.Context, db bun.IDB, kind, code string, side Side) (Item, error) {
	if code == "" {
		return Item{Name: "其他", Files: "any"}, nil
	}
	list, err := listInForce(ctx, db, kind)
	if err != nil {
		return Item{}, err
	}
	for _, it := range list.Items {
		if it.Code == code {
			if it.Side != side {
				return Item{}, fault.InvalidField("item", "EVIDENCE_ITEM", "“"+it.Name+"”由"+it.Side.Label()+"上传")
			}
			return it, nil
		}
	}
	return Item{}, fault.InvalidField("item", "EVIDENCE_ITEM", "佐证清单已更新，请刷新后重新选择")
}

// Remove takes a piece of the actor's own side away; that it was there is kept.
func (s *Service) Remove(ctx context.Context, actor access.Actor, id int64) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		p := new(piece)
		if err := database.Found(tx.NewSelect().Model(p).Where("p.id = ?", id).Scan(ctx)); err != nil {
			return err
		}
		c, err := s.caseOf(ctx, tx, actor, p.CaseObject, p.CaseID)
		if err != nil {
			return err
		}
		if !p.shows(actor) {
			return ErrNotFound
		}
		if side, gives := c.side(actor); !gives || side != p.Side {
			return ErrForbidden
		}
		if err := c.open(now); err != nil {
			return err
		}
		err = database.Changed(database.Run(ctx, tx, "UPDATE evidence_pieces SET removed_at = ?, removed_by = ? WHERE id = ? AND removed_at IS NULL", now, actor.Name, id))
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "evidence.remove", Object: Object, ObjectID: id, Summary: "移除服务佐证 " + c.Number,
			Detail: map[string]any{"item": p.Item, "file": p.FileID}})
	})
}
