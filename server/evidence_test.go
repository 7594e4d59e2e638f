package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// TestEvidenceOfAnOfflineService records a service with its materials in the institution's place, has both sides see them as evidence, the
// government assess it and everybody print it, and nobody else.
func TestEvidenceOfAnOfflineService(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h, s := toldDemo(t)
	enter := func(kind, key string) string {
		a, err := s.as(ctx, h, kind, key)
		if err != nil {
			t.Fatal(err)
		}
		return session(t, h, a.UserID, s.now)
	}
	at := func(kind, key string) int64 {
		a, err := s.as(ctx, h, kind, key)
		if err != nil {
			t.Fatal(err)
		}
		return a.EnterpriseID + a.InstitutionID
	}
	bank := ""
	for _, in := range s.world.Institutions {
		if in.Key == s.world.Walk.Bank {
			bank = in.Operators[0].Key
		}
	}
	bakery, operator, reviewer, clerk := enter("owner", s.world.Walk.BakeryOwner), enter("staff", "operator01"), enter("staff", "reviewer01"), enter("operator", bank)
	other, stranger := enter("operator", operatorOf(t, s.world, "digital-yunfan")), owner(t, h, "13800138023")
	if err := h.feed.Skip(ctx); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.feed.Run(running) }()
	t.Cleanup(func() { stop(); <-done })
	var code string
	if err := h.db.Read().NewRaw("SELECT credit_code FROM enterprises WHERE id = ?", at("owner", s.world.Walk.BakeryOwner)).Scan(ctx, &code); err != nil {
		t.Fatal(err)
	}
	by, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		t.Fatal(err)
	}
	file, err := h.demoPicture(ctx, by, "attachment", "签到表")
	if err != nil {
		t.Fatal(err)
	}
	var v offline.View
	status, body := ask(t, h, "POST", "/api/offline-services", operator, fmt.Sprintf(`{"creditCode":%q,"institutionId":%d,"service":"贷款办理辅导","day":%q,"place":"企业会议室","persons":"平台运营、王芳","content":"讲解材料和流程","fileIds":[%d]}`,
		code, at("operator", bank), s.now.In(clock.Beijing).Format(time.DateOnly), file))
	if status != 200 {
		t.Fatal(status, body)
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/api/evidence/offline_service/%d", v.ID)
	read := func(who string, want int) (e evidence.View) {
		t.Helper()
		status, body := ask(t, h, "GET", path, who, "")
		if status != want {
			t.Fatalf("%d, %s", status, body)
		}
		if want == 200 {
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Fatal(err)
			}
		}
		return e
	}
	for who, token := range map[string]string{"operator": operator, "institution": clerk, "company": bakery, "government": reviewer} {
		e := read(token, 200)
		if len(e.Pieces) != 1 || e.Missing != 1 || e.Pieces[0].Removes != (who == "operator" || who == "institution") || (e.Side == evidence.Institution) != (who == "operator" || who == "institution") {
			t.Errorf("%s: %+v", who, e)
		}
	}
	read(other, 404)
	read(stranger, 404)
	picture := read(bakery, 200).Pieces[0].File.URL
	for token, want := range map[string]int{bakery: 200, clerk: 200, reviewer: 200, other: 404, stranger: 404} {
		if status, _ := ask(t, h, "GET", picture, token, ""); status != want {
			t.Errorf("the file: %d instead of %d", status, want)
		}
	}
	cards, err := h.evidence.Cards(ctx, access.Actor{UserID: 1, Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{evidence.PermAssess}})
	if err != nil {
		t.Fatal(err)
	}
	marks := []string{}
	for _, it := range cards[0].Items {
		marks = append(marks, fmt.Sprintf(`{"item":%q,"points":%d,"note":""}`, it.Name, it.Points))
	}
	score := fmt.Sprintf(`{"target":"institution","version":0,"cardId":%d,"marks":[%s],"fatal":[],"comment":"讲解清楚，企业认可"}`, cards[0].ID, strings.Join(marks, ","))
	for token, want := range map[string]int{clerk: 403, bakery: 403, operator: 403} {
		if status, body := ask(t, h, "POST", path+"/assess", token, score); status != want {
			t.Errorf("assessed by somebody else: %d %s", status, body)
		}
	}
	if status, body := ask(t, h, "POST", path+"/assess", reviewer, score); status != 204 {
		t.Fatal(status, body)
	}
	if status, body := ask(t, h, "POST", fmt.Sprintf("/api/offline-services/%d/answer", v.ID), bakery, `{"yes":true,"words":"属实"}`); status != 200 {
		t.Fatal(status, body)
	}
	page, record := fmt.Sprintf("/offline-services/%d/evidence", v.ID), fmt.Sprintf("/offline-services/%d/record", v.ID)
	if status, body := ask(t, h, "GET", page, bakery, ""); status != 200 || !strings.Contains(body, "签到表或现场照片") || !strings.Contains(body, `href="/offline-services"`) {
		t.Error(status, body)
	}
	for token, want := range map[string]bool{bakery: false, clerk: true, reviewer: true, operator: true} {
		status, body := ask(t, h, "GET", record, token, "")
		if status != 200 || !strings.Contains(body, "讲解材料和流程") || !strings.Contains(body, "签到表") || !strings.Contains(body, "已确认") || strings.Contains(body, "讲解清楚，企业认可") != want {
			t.Errorf("the record: %d, assessment is shown: %v", status, !want)
		}
	}
	for _, token := range []string{other, stranger} {
		if status, _ := ask(t, h, "GET", record, token, ""); status != 404 {
			t.Errorf("somebody else prints: %d", status)
		}
	}
	eventually(t, "the institution is told where the assessment is", func() bool {
		var n int
		err := h.db.Read().NewRaw("SELECT count(*) FROM messages WHERE template = 'evidence.assessed' AND link = ?", fmt.Sprintf("/offline-services?open=%d", v.ID)).Scan(ctx, &n)
		return err == nil && n > 0
	})
}
