package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
)

// openReach makes the workers of what finds and tells companies; the policies are there when a job comes.
func (h *house) openReach(w *jobs.Workers) {
	policy.Work(w, func() *policy.Service { return h.policies })
}

// joinReach lets policies find the companies they fit and tell them.
func (h *house) joinReach(c Config) {
	h.policies.UseReach(policy.Reach{
		Register: districtRegister{h.enterprises}, Consents: reachConsents{h.consents}, Messages: policyMessages{h}, Box: h.box, Queue: h.queue,
		PerWeek: c.Policy.PushPerWeek, PublicDays: c.Policy.PublicDays, KeepOwn: c.Policy.answers(), KeepQuick: c.Policy.quickAnswers(),
	})
	h.listeners = append(h.listeners, h.policies.RunListener())
	h.tasks = append(h.tasks, h.policies.ReachTasks()...)
	h.tasks = append(h.tasks, h.policies.PushTasks()...)
	h.everywhere = append(h.everywhere, h.policies.RunPool)
}

// reachConsents tells policies what companies agreed to.
type reachConsents struct{ *consent.Service }

var _ policy.Consents = reachConsents{}

// MayRead says which fields of the companies the reader may read.
func (c reachConsents) MayRead(ctx context.Context, actor access.Actor, ids []int64, basis, what string) (map[int64]func(field string) bool, error) {
	passes, err := c.ReadAll(ctx, actor, ids, consent.Reading{Purpose: consent.PolicyMatch, Basis: basis, What: what})
	out := make(map[int64]func(string) bool, len(passes))
	for id, p := range passes {
		out[id] = func(field string) bool { return slices.Contains(p.Groups, enterprise.GroupOf(field)) }
	}
	return out, err
}

// districtRegister tells policies about the companies of the district.
type districtRegister struct{ *enterprise.Service }

var _ policy.CompanyRegister = districtRegister{}

// EachRegistered gives every company of the register.
func (r districtRegister) EachRegistered(ctx context.Context, db bun.IDB, yield func(int64, criteria.Facts) error) error {
	return r.Service.EachRegistered(ctx, db, func(id int64, facts criteria.Facts) error { return yield(id, stated(facts)) })
}

// InRegister returns those of the companies that are in the register.
func (r districtRegister) InRegister(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	all, err := r.Service.InRegister(ctx, db, ids...)
	for _, facts := range all {
		stated(facts)
	}
	return all, err
}

// FactsUntil is what was known when a fact was the latest.
func (r districtRegister) FactsUntil(ctx context.Context, db bun.IDB, mark int64, ids ...int64) (map[int64]criteria.Facts, error) {
	all, err := r.Service.FactsUntil(ctx, db, mark, ids...)
	for _, facts := range all {
		stated(facts)
	}
	return all, err
}

// stated marks a company's own word as unchecked.
func stated(facts criteria.Facts) criteria.Facts {
	for field, f := range facts {
		f.Stated = f.Source == selfStated
		for i := range f.Years {
			f.Years[i].Stated = f.Years[i].Source == selfStated
		}
		facts[field] = f
	}
	return facts
}

// FactsAfter lists the facts that were added.
func (r districtRegister) FactsAfter(ctx context.Context, db bun.IDB, after int64, limit int) ([]policy.ChangedFact, error) {
	list, err := r.Service.FactsAfter(ctx, db, after, limit)
	out := make([]policy.ChangedFact, 0, len(list))
	for _, c := range list {
		out = append(out, policy.ChangedFact(c))
	}
	return out, err
}

// Named names those of the companies that the actor may see.
func (r districtRegister) Named(ctx context.Context, db bun.IDB, actor access.Actor, ids ...int64) (map[int64]policy.Company, error) {
	list, err := r.Service.Named(ctx, db, actor, ids...)
	out := make(map[int64]policy.Company, len(list))
	for id, n := range list {
		out[id] = policy.Company{ID: n.ID, Name: n.Name, CreditCode: n.CreditCode, Verified: n.Verification == enterprise.Verified}
	}
	return out, err
}

// policyMessages lets policies tell companies.
type policyMessages struct{ *house }

var _ policy.Messages = policyMessages{}

// Tell writes one message.
func (m policyMessages) Tell(ctx context.Context, tx bun.Tx, key string, userID int64, template, link string, params map[string]string) error {
	return m.messages.Notify(ctx, tx, message.Notice{Key: key, UserID: userID, Template: template, Link: link, Params: params})
}

// Held returns until when messages that are not urgent wait.
func (m policyMessages) Held(at time.Time) time.Time { return m.messages.HeldUntil(at) }

// Outcomes says what became of messages.
func (m policyMessages) Outcomes(ctx context.Context, db bun.IDB, keys []string) (map[string]policy.MessageOutcome, error) {
	list, err := m.messages.OutcomesOf(ctx, db, keys)
	out := make(map[string]policy.MessageOutcome, len(list))
	for key, o := range list {
		d := map[message.State]policy.Delivery{message.Sent: policy.DeliverySent, message.Queued: policy.DeliveryWaiting, message.Sending: policy.DeliveryWaiting,
			message.Unknown: policy.DeliveryUnknown, message.Refused: policy.DeliveryFailed}[o.Letter]
		out[key] = policy.MessageOutcome{Delivery: d, Opened: o.Read}
	}
	return out, err
}

// policyFact is what a message needs of a fact about a plan or an objection.
type policyFact struct {
	ID       int64  `json:"id"`
	PolicyID int64  `json:"policyId"`
	GrantID  int64  `json:"grantId"`
	Title    string `json:"title"`
	Count    int    `json:"count"`
	MakerID  int64  `json:"makerId"`
}

// ofReach tells those who decide that something waits for them.
func (n notices) ofReach(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f policyFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Link: fmt.Sprintf("/policies/%d/companies", f.PolicyID), Params: map[string]string{"title": f.Title, "count": strconv.Itoa(f.Count)}}
	switch e.Type {
	case "policy_push.waiting":
		notice.Template = "policy.push_waiting"
		to, err := n.audience.UsersWith(ctx, tx, policy.PermPushApprove)
		return each(without(to, f.MakerID), notice), err
	case "policy_objection.open":
		notice.Template = "policy.objected"
		to, err := n.audience.UsersWith(ctx, tx, policy.PermGrantDecide)
		return each(to, notice), err
	}
	return nil, nil
}

func without(users []int64, one int64) []int64 {
	out := make([]int64, 0, len(users))
	for _, u := range users {
		if u != one {
			out = append(out, u)
		}
	}
	return out
}

// companiesCheck watches over the copy of the companies that this process keeps.
func (h *house) companiesCheck() operations.Check {
	return operations.Check{Code: "companies", Group: "后台工作", Title: "政策匹配的企业数据", Unit: "秒", Warn: 60, Bad: 600,
		Advice: "企业数据在内存中的副本没有更新，适配企业的结果会过时。请查看服务日志中的 companies for matching 错误；恢复后自动追上。",
		Measure: func(context.Context) (operations.Reading, error) {
			st := h.policies.Pool()
			switch {
			case st.Building:
				return operations.Reading{Text: fmt.Sprintf("正在载入，已载入 %d 家，共 %d 家，约 %d 秒", st.Loaded, st.Total, st.Seconds)}, nil
			case !st.Ready && st.Failed != "":
				return operations.Reading{}, errors.New(st.Failed)
			case !st.Ready:
				return operations.Reading{Text: "尚未载入"}, nil
			}
			return operations.Reading{Value: st.LagMS / 1000, Text: fmt.Sprintf("%d 家企业，占用内存 %s，载入用时 %d 毫秒，%d 秒前与数据库核对", st.Companies, size(int64(st.Bytes)), st.BuildMS, st.LagMS/1000)}, nil
		}}
}
