package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/licence"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/web/page"
)

// contacts tells the message centre how a person is reached. The house's identity is made after the message centre.
type contacts struct{ *house }

var _ message.People = contacts{}

// Contact returns a person's phone and, when they bound one, their WeChat account.
func (c contacts) Contact(ctx context.Context, db bun.IDB, userID int64) (phone, openID string, err error) {
	if _, phone, err = c.identity.Contact(ctx, db, userID); err != nil {
		return "", "", err
	}
	openID, err = c.identity.OpenIDOf(ctx, db, userID)
	return phone, openID, err
}

// audience names the staff a fact concerns.
type audience interface {
	// InstitutionUsers lists the people who work for an institution.
	InstitutionUsers(ctx context.Context, db bun.IDB, institutionID int64) ([]int64, error)
	// DepartmentUsers lists the people of a department who hold a right.
	DepartmentUsers(ctx context.Context, db bun.IDB, departmentID int64, right access.Permission) ([]int64, error)
	// UsersWith lists the people who hold a right.
	UsersWith(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error)
	// Reviewing lists those who hold a right of reviewers, and those who use it for a colleague on leave.
	Reviewing(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error)
}

// notices turns facts into messages to the people they concern (requirement I1).
type notices struct {
	messages *message.Service
	audience audience
	// followers lists those who follow a policy; nil: nobody does.
	followers func(ctx context.Context, db bun.IDB, policy int64, wide bool) ([]int64, error)
	log       *slog.Logger
	// cleared keeps what is told of confidential things to those who see them; nil keeps nothing back.
	cleared func(ctx context.Context, tx bun.Tx, e event.Event, told []message.Notice) ([]message.Notice, error)
}

// listener reads the facts. A fact that cannot be told is noted and passed over, so that those after it are.
func (n notices) listener() event.Listener {
	return event.Listener{Name: "message", Batch: func(ctx context.Context, tx bun.Tx, list []event.Event) error {
		var all []message.Notice
		for _, e := range list {
			told, err := n.of(ctx, tx, e)
			if err == nil && n.cleared != nil {
				told, err = n.cleared(ctx, tx, e, told)
			}
			if errors.Is(err, errUnreadable) {
				n.log.Error("a fact without a message", "event", e.ID, "type", e.Type, "error", err)
				continue
			}
			if err != nil {
				return fmt.Errorf("event %d %s: %w", e.ID, e.Type, err)
			}
			for _, t := range told {
				if t.At = e.At; t.Key == "" {
					t.Key = fmt.Sprintf("event:%d", e.ID)
				}
				all = append(all, t)
			}
		}
		unfit, err := n.messages.NotifyAll(ctx, tx, all)
		for _, u := range unfit {
			n.log.Error("a fact without a message", "error", u)
		}
		return err
	}}
}

var errUnreadable = errors.New("the fact cannot be read")

// of lists who is to be told what of a fact.
func (n notices) of(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	switch e.Object {
	case ticket.Object:
		return n.ofTicket(ctx, tx, e)
	case exchange.Object:
		return n.ofExchange(ctx, tx, e)
	case file.Object:
		return n.ofFile(ctx, tx, e)
	case "application":
		return n.ofApplication(ctx, tx, e)
	case contract.Object:
		return n.ofContract(ctx, tx, e)
	case offline.Object:
		return n.ofOffline(ctx, tx, e)
	case demand.Object:
		return n.ofDemand(ctx, tx, e)
	case conversation.Object:
		return n.ofConversation(ctx, tx, e)
	case evidence.Object, evidence.ObjectAssessment:
		return n.ofEvidence(ctx, tx, e)
	case evaluation.Object:
		return n.ofEvaluation(ctx, tx, e)
	case "product":
		return n.ofProduct(ctx, tx, e)
	case review.Object:
		return n.ofDelegation(ctx, tx, e)
	case "enterprise":
		return n.ofEnterprise(ctx, tx, e)
	case institution.Object:
		return n.ofInstitution(ctx, tx, e)
	case institution.ObjectApplication:
		return n.ofOnboarding(ctx, tx, e)
	case institution.ObjectRenewal:
		return n.ofRenewal(ctx, tx, e)
	case "enterprise_join":
		return n.ofJoin(ctx, tx, e)
	case licence.Object:
		return n.ofLicence(ctx, tx, e)
	case consent.Object:
		return n.ofConsent(ctx, tx, e)
	case "policy_push", "policy_objection":
		return n.ofReach(ctx, tx, e)
	case policy.Object:
		return n.ofPolicy(ctx, tx, e)
	}
	return nil, nil
}

func decode(e event.Event, into any) error {
	if err := e.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return nil
}

// queueNotice is how often at most the desk is told that ordinary requests wait.
const queueNotice = 10 * time.Minute

// toRequester are the facts about a ticket that its requester is told, when they have an account.
var toRequester = []string{"ticket.answered", "ticket.replied", "ticket.declined", "ticket.closed", "ticket.reopened"}

// ofTicket tells the requester, the desk of what a company asks, and the unit of what it has to handle.
func (n notices) ofTicket(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f ticketFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Link: fmt.Sprintf("/tickets/%d", f.ID), Params: map[string]string{
		"number": f.Number, "title": f.Title, "unitName": f.UnitName, "text": f.Text, "reason": f.Reason,
	}}
	var told []message.Notice
	if f.UserID != 0 && slices.Contains(toRequester, e.Type) {
		told = append(told, notice)
	}
	var to []int64
	var err error
	switch {
	case e.Type == "ticket.handed" || e.Type == "ticket.noted":
		return n.ofDesk(e, notice)
	case e.Type == "ticket.opened" && f.Source != ticket.FromAgent:
		if notice.Template = "ticket.waiting"; f.Urgency == ticket.Normal || f.Source == ticket.FromImport {
			// The desk works from its queue; a notice for each of hundreds a day, or of an import, would bury those that matter.
			notice = message.Notice{Template: "ticket.queued", Link: "/tickets?scope=waiting",
				Key: "ticket.queued:" + e.At.UTC().Truncate(queueNotice).Format(time.RFC3339)}
		}
		to, err = n.audience.UsersWith(ctx, tx, ticket.PermDispatch)
		if err == nil && f.Urgency == ticket.Critical && f.Source != ticket.FromImport {
			told, err = n.critical(ctx, tx, e, notice)
		}
	case e.Type == "ticket.opened" && f.Urgency == ticket.Critical:
		return n.critical(ctx, tx, e, notice)
	case e.Type == "ticket.classified":
		return n.reclassified(ctx, tx, e, notice)
	case e.Type == "ticket.dispatched" && f.UnitID != 0:
		notice.Template = "ticket.assigned"
		to, err = n.audience.DepartmentUsers(ctx, tx, f.UnitID, ticket.PermSign)
	case e.Type == "ticket.reopened" && f.UnitID != 0:
		notice.Template = "ticket.assigned_again"
		to, err = n.audience.DepartmentUsers(ctx, tx, f.UnitID, ticket.PermSign)
	default:
		more, err := n.besideTicket(ctx, tx, e.Type, f, notice)
		if err != nil {
			return nil, err
		}
		timed, err := n.ofClocks(ctx, tx, e)
		return slices.Concat(told, more, timed), err
	}
	told = append(told, each(to, notice)...)
	if err != nil || len(f.To) == 0 {
		return told, err
	}
	more, err := n.passedOn(ctx, tx, f, notice)
	return append(told, more...), err
}

// ofExchange tells those on duty for the exchange that a partner does not get its events.
func (n notices) ofExchange(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f exchange.Stopped // of which exchange.Down is a part
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Params: map[string]string{
		"name": f.Name, "number": f.Number, "reason": strings.TrimRight(or(f.Reason, "原因不明"), "。"),
	}}
	switch e.Type {
	case "exchange.stopped":
		notice.Link = "/exchange/deliveries?state=dead"
	case "exchange.down":
		notice.Link = fmt.Sprintf("/exchange/partners/%d", f.ID)
	default:
		return nil, nil
	}
	to, err := n.audience.UsersWith(ctx, tx, exchange.PermManage)
	return each(to, notice), err
}

// applicationFact is what a message needs of a fact about an application.
type applicationFact struct {
	ID              int64  `json:"id"`
	Number          string `json:"number"`
	ProductName     string `json:"productName"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`
	Reason          string `json:"reason"`
	Note            string `json:"note"`
	Amount          int64  `json:"amount"` // fen, of what was granted
	Rate            int64  `json:"rate"`   // basis points a year
	Term            int    `json:"term"`   // months

	For       application.DueFor `json:"for"` // what a deadline is for
	DueAt     time.Time          `json:"dueAt"`
	HandlerID int64              `json:"handlerId"`
	FromName  string             `json:"fromName"`
	ByID      int64              `json:"byId"`

	ConfirmUntil time.Time `json:"confirmUntil"`
	Title        string    `json:"title"` // of a step of a plan
	By           string    `json:"by"`    // who ended a service
	No           int       `json:"no"`    // of an instalment
	Label        string    `json:"label"` // of a step that was undone
	Left         int64     `json:"left"`  // still to be paid out
}

// terms says what was granted or paid out, before what the institution wrote.
func (f applicationFact) terms() string {
	var parts []string
	if f.Amount > 0 {
		parts = append(parts, "金额 "+page.Money(f.Amount))
	}
	if f.Rate > 0 {
		parts = append(parts, "年利率 "+page.Rate(f.Rate))
	}
	if f.No > 0 {
		parts = append(parts, fmt.Sprintf("第 %d 笔", f.No))
	}
	if f.Left > 0 {
		parts = append(parts, "尚未放款 "+page.Money(f.Left))
	}
	if f.Term > 0 {
		parts = append(parts, fmt.Sprintf("期限 %d 个月", f.Term))
	}
	if len(parts) == 0 {
		return f.Note
	}
	return strings.Join(parts, "，") + "。" + f.Note
}

func (n notices) ofApplication(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f applicationFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Link: fmt.Sprintf("/applications/%d", f.ID), Params: map[string]string{
		"number": f.Number, "productName": f.ProductName, "institutionName": f.InstitutionName, "enterpriseName": f.EnterpriseName,
		"reason": or(f.Reason, f.Note, "请查看申请详情"), "note": f.Note,
	}}
	switch e.Type {
	case "application.accepted", "application.declined", "application.supplement_asked", "application.investigated", "application.planned":
	case "application.step_done":
		notice.Params["note"] = strings.TrimRight(f.Title+"。"+f.Note, "。")
	case "application.delivered":
		notice.Params["due"] = clock.Show(f.ConfirmUntil)
	case "application.completed":
		return n.ofCompleted(ctx, tx, f, notice)
	case "application.undone":
		return n.ofUndone(ctx, tx, f, notice)
	case "application.objected":
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	case "application.approved", "application.disbursed":
		notice.Params["note"] = f.terms()
	case "application.due_warned", "application.overdue", "application.due_moved", "application.handed_over":
		return n.ofApplicationTime(ctx, tx, e, f, notice)
	case "application.progressed":
		notice.Params["note"] = or(f.Note, f.InstitutionName+"正在办理")
	case "application.submitted", "application.supplemented", "application.filled", "application.withdrawn":
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	default:
		return nil, nil
	}
	if f.UserID == 0 {
		return nil, nil
	}
	return []message.Notice{notice}, nil
}

// productFact is what a message needs of a fact about a product.
type productFact struct {
	ID              int64  `json:"id"`
	Name            string `json:"name"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	Reason          string `json:"reason"`
	Own             bool   `json:"own"` // the institution did it itself
	ListFrom        string `json:"listFrom"`
	Label           string `json:"label"` // of the decision that was taken back
	Status          string `json:"status"`
	Until           string `json:"until"` // the last day of its term
	Days            int    `json:"days"`  // left until then
}

// firstReviewers are the rights whose holders a product waits for after a fact.
var firstReviewers = map[string]access.Permission{"product.submitted": "product.review_platform", "product.passed_platform": "product.review_government"}

// overdue are the rights of those who review a product in a state.
var overdue = map[string]access.Permission{"platform_review": "product.review_platform", "government_review": "product.review_government"}

func (n notices) ofProduct(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f productFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: fmt.Sprintf("/products/%d", f.ID), Params: map[string]string{
		"name": f.Name, "institutionName": f.InstitutionName, "reason": or(f.Reason, "请查看产品详情"), "day": f.ListFrom,
	}}
	switch e.Type {
	case "product.submitted", "product.passed_platform":
		to, err := n.audience.Reviewing(ctx, tx, firstReviewers[e.Type])
		return each(to, notice), err
	case "product.review_overdue":
		to, err := n.audience.Reviewing(ctx, tx, overdue[f.Status])
		return each(to, notice), err
	case "product.review_undone":
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		if err != nil {
			return nil, err
		}
		notice.Params["kind"] = f.Label
		again, err := n.audience.Reviewing(ctx, tx, overdue[f.Status])
		return each(append(to, again...), notice), err
	case "product.expiring":
		notice.Params["until"], notice.Params["left"] = f.Until, fmt.Sprintf("还有 %d 天", f.Days)
		if f.Days == 0 {
			notice.Params["left"] = "就是今天"
		}
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	case "product.approved", "product.listed", "product.returned", "product.taken_down", "product.expired":
		if f.Own {
			return nil, nil
		}
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	}
	return nil, nil
}

// enterpriseFact is what a message needs of a fact about a company.
type enterpriseFact struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	UserID int64  `json:"userId"`
	Reason string `json:"reason"`
	// By says what the claim was held against: registry or review.
	By        string `json:"by"`
	AttemptID int64  `json:"attemptId"`
	Label     string `json:"label"` // of the decision that was taken back
	// Changes are what a change of registration is about.
	Changes []enterprise.Difference `json:"changes"`
}

func (n notices) ofEnterprise(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f enterpriseFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Params: map[string]string{
		"name": f.Name, "reason": strings.TrimRight(or(f.Reason, "与登记信息不一致"), "。"), "changes": enterprise.WordsOf(f.Changes),
	}}
	switch e.Type {
	case "enterprise.changed", "enterprise.change_refused":
		if f.UserID == 0 || f.By != "review" {
			return nil, nil
		}
		notice.Link = "/company/change"
		return []message.Notice{notice}, nil
	case "enterprise.verified", "enterprise.verification_refused":
		// What the registry says is read on the page it was asked from; only a person's word comes later.
		if f.UserID == 0 || e.Type == "enterprise.verification_refused" && f.By != "review" {
			return nil, nil
		}
		notice.Link = "/company"
		return []message.Notice{notice}, nil
	case "enterprise.review_undone":
		notice.Params["kind"] = f.Label
		again := notice
		again.Link = fmt.Sprintf("/enterprise-reviews?open=%d", f.AttemptID)
		notice.Link = "/company"
		to, err := n.audience.Reviewing(ctx, tx, "enterprise.review")
		return append(each(to, again), notice), err
	case "enterprise.verification_pending", "enterprise.change_pending", "enterprise.review_overdue":
		notice.Link = "/enterprise-reviews"
		if f.AttemptID != 0 {
			notice.Link += "?open=" + strconv.FormatInt(f.AttemptID, 10)
		}
		to, err := n.audience.Reviewing(ctx, tx, "enterprise.review")
		return each(to, notice), err
	}
	return nil, nil
}

// joinFact is what a message needs of a request to join a company that is verified already.
type joinFact struct {
	EnterpriseName string `json:"enterpriseName"`
	UserID         int64  `json:"userId"`  // who asks
	OwnerID        int64  `json:"ownerId"` // who decides
	Reason         string `json:"reason"`
}

func (n notices) ofJoin(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f joinFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: "/company", Params: map[string]string{
		"name": f.EnterpriseName, "reason": strings.TrimRight(or(f.Reason, "企业负责人未同意"), "。"),
	}}
	switch e.Type {
	case "enterprise_join.asked":
		notice.UserID = f.OwnerID
	case "enterprise_join.admitted", "enterprise_join.refused":
		notice.UserID = f.UserID
	case "enterprise_join.disputed":
		notice.Link = "/enterprise-joins"
		to, err := n.audience.UsersWith(ctx, tx, "enterprise.review")
		return each(to, notice), err
	}
	if notice.UserID == 0 {
		return nil, nil
	}
	return []message.Notice{notice}, nil
}

// each makes the same notice for several people.
func each(users []int64, n message.Notice) []message.Notice {
	list := make([]message.Notice, 0, len(users))
	for _, u := range users {
		n.UserID = u
		list = append(list, n)
	}
	return list
}

// or returns the first text that says something.
func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// staffOf names staff through identity.
type staffOf struct{ *house }

var _ audience = staffOf{}

// InstitutionUsers lists the people who work for an institution.
func (s staffOf) InstitutionUsers(ctx context.Context, db bun.IDB, id int64) ([]int64, error) {
	return s.identity.InstitutionUsers(ctx, db, id)
}

// DepartmentUsers lists the people of a department who hold a right.
func (s staffOf) DepartmentUsers(ctx context.Context, db bun.IDB, id int64, right access.Permission) ([]int64, error) {
	return s.identity.DepartmentUsers(ctx, db, id, right)
}

// UsersWith lists the people who hold a right.
func (s staffOf) UsersWith(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error) {
	return s.identity.UsersWith(ctx, db, right)
}

// Reviewing lists those who hold a right of reviewers, and those who use it for a colleague on leave.
func (s staffOf) Reviewing(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error) {
	ids, err := s.identity.UsersWith(ctx, db, right)
	if err != nil {
		return nil, err
	}
	more, err := s.reviews.StandIns(ctx, db, right)
	for _, id := range more {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// missingTemplates says once, at the start, which channels stay silent for want of an approved template.
func missingTemplates(log *slog.Logger, s *message.Service) {
	if sms, wechat := s.Missing(); len(sms)+len(wechat) > 0 {
		log.Warn("some notices stay on the platform: their templates are not configured", "sms.templates", sms, "wechat.templates", wechat)
	}
}
