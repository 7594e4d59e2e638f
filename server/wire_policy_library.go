package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// joinLibrary gives the library of policies what editing needs: the reader of texts, made-up companies, attachments.
func (h *house) joinLibrary(d *policy.Deps, words enterprise.Terms) {
	d.Drafter = &policyDrafter{words: words}
	d.Facts = policyFacts{words}
	d.Files = policyFiles{h.uploads}
	d.Reminding = policyReminders{h.messages}
}

// policyFiles lets policies keep files.
type policyFiles struct{ *file.Service }

var _ policy.Files = policyFiles{}

// Of lists the files of an object.
func (f policyFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]policy.FileView, error) {
	views, err := f.Service.Of(ctx, db, object, id)
	list := make([]policy.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, policy.FileView(v))
	}
	return list, err
}

// Open opens a file of a policy that the asker may see; the policy's module has established that.
func (f policyFiles) Open(ctx context.Context, id int64) (web.Download, error) {
	return f.Read(ctx, access.SystemActor("policy"), id)
}

// policyDrafter proposes conditions with the reference lists of the program; the lists are read once.
type policyDrafter struct {
	words  enterprise.Terms
	once   sync.Once
	reader *draft.Reader
	err    error
}

var _ policy.Drafter = (*policyDrafter)(nil)

// Propose reads a text. A clause of a field the register does not have becomes one for people.
func (d *policyDrafter) Propose(title, issuer, text string) (policy.Proposals, error) {
	d.once.Do(func() { d.reader, d.err = draftReader() })
	if d.err != nil {
		return policy.Proposals{}, d.err
	}
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	found := d.reader.Read(oneLine(title) + "\n来源：" + oneLine(issuer) + "\n正文：" + text)
	out := policy.Proposals{Open: found.NotDecidable}
	for i, c := range found.Clauses {
		raw, err := json.Marshal(draftedClause(c, d.words))
		if err != nil {
			return out, err
		}
		either := i > 0 && alternatives(c, found.Clauses[i-1]) || c.OneOf
		out.Clauses = append(out.Clauses, policy.Proposal{Quote: c.Quote, Condition: raw, Confidence: c.Confidence.String(), OneOf: either})
	}
	return out, nil
}

// policyFacts reads a made-up company as the command line does.
type policyFacts struct{ words enterprise.Terms }

var _ policy.FactReader = policyFacts{}

// ReadFacts reads {"employees": 18, "revenue": "2600万元"} and adds what follows: the size class and the share of research.
func (p policyFacts) ReadFacts(raw json.RawMessage, at time.Time) (criteria.Facts, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, fault.InvalidField("facts", "POLICY_EXAMPLE", "企业信息不是有效的内容，请刷新页面后重试").Wrap(err)
	}
	schema := enterprise.Schema(p.words)
	facts, numbers := criteria.Facts{}, map[string]int64{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f, ok := schema.Field(name)
		if !ok {
			errs = append(errs, fault.InvalidField("facts."+name, "POLICY_EXAMPLE", fmt.Sprintf("没有名为「%s」的字段", name)))
			continue
		}
		if string(given[name]) == "null" {
			continue
		}
		if years, ok := byYear(given[name]); ok {
			x, n, err := factYears(f, years, "示例企业", at)
			if err != nil {
				errs = append(errs, fault.InvalidField("facts."+name, "POLICY_EXAMPLE", fmt.Sprintf("「%s」%v", f.Label, err)))
				continue
			}
			facts[name], numbers[name] = x, n
			continue
		}
		v, n, err := factValue(f, given[name])
		if err != nil {
			errs = append(errs, fault.InvalidField("facts."+name, "POLICY_EXAMPLE", fmt.Sprintf("「%s」%v", f.Label, err)))
			continue
		}
		numbers[name] = n
		facts[name] = criteria.Fact{Value: v, Source: "示例企业", AsOf: at}
	}
	if err := fault.Merge(errs...); err != nil {
		return nil, err
	}
	derived(facts, given, numbers, at, at)
	return facts, nil
}
