package server

import (
	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/backup"
	"github.com/huiqi/huiqi/modules/calendar"
	"github.com/huiqi/huiqi/modules/canned"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/extra"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/quality"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/supervision"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
)

// permissions are all rights of the program, in the order in which the page of roles shows them.
func permissions() []access.Info {
	var all []access.Info
	for _, list := range [][]access.Info{
		ticket.Permissions(),
		knowledge.Permissions(),
		canned.Permissions(),
		review.Permissions(),
		directory.Permissions(),
		seat.Permissions(),
		cti.Permissions(),
		supervision.Permissions(),
		appraisal.Permissions(),
		quality.Permissions(),
		intake.Permissions(),
		institution.Permissions(),
		catalog.Permissions(),
		application.Permissions(),
		evaluation.Permissions(),
		evidence.Permissions(),
		conversation.Permissions(),
		offline.Permissions(),
		demand.Permissions(),
		channel.Permissions(),
		contract.Permissions(),
		extra.Permissions(),
		enterprise.Permissions(),
		consent.Permissions(),
		policy.Permissions(),
		policy.ReachPermissions(),
		content.Permissions(),
		message.Permissions(),
		exchange.Permissions(),
		calendar.Permissions(),
		backup.Permissions(),
		operations.Permissions(),
		identity.Permissions(),
	} {
		all = append(all, list...)
	}
	return all
}

// roles are what an installation begins with (requirement A3). Afterwards they are edited in the back office.
func roles() []identity.BuiltinRole {
	type p = access.Permission
	return []identity.BuiltinRole{
		{Code: "platform_admin", Name: "系统管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{"identity.users", "backup.view", "backup.run",
			"operations.view", "operations.manage", "operations.duty", "calendar.view", "calendar.manage"}},
		{Code: "security_admin", Name: "安全管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{"identity.roles", "ticket.reveals"}},
		{Code: "audit_admin", Name: "审计管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{"audit.view", "audit.export"}},
		{Code: "operator", Name: "平台运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{
			"institution.view", "institution.manage", "institution.review", "product.view", "product.review_platform", "product.take_down", "product.export", "product.review_undo", "institution.review_undo", "enterprise.review_undo", "application.view", "application.supervise", "application.limits", "application.undo_any", "application.results", "enterprise.view", "enterprise.review",
			"consent.view", "consent.edit",
			"policy.view", "policy.edit", "policy.publish", "policy.reverse", "policy.reverse_export", "policy.push", "policy.grant", "content.edit", "knowledge.view", "knowledge.edit", "canned.share", "directory.view", "directory.manage", "message.view", "message.release", "exchange.view", "exchange.manage",
			"application.export", "enterprise.export", "enterprise.extra", "enterprise.extra_fields", "enterprise.extra_restricted", "extra.manage", "enterprise.golden", "enterprise.import", "enterprise.quality", "enterprise.tags", "message.export", "exchange.export", "review.reasons", "review.delegations", "calendar.view", "calendar.manage", "ticket.budgets",
			"appraisal.view", "intake.open311", "evaluation.view", "evaluation.moderate", "evaluation.manage", "evaluation.export", "evidence.view", "evidence.manage", "evidence.export", "conversation.read", "conversation.manage", "offline.record", "offline.view", "offline.export",
			"demand.view", "demand.export", "demand.review", "demand.invite", "channel.view", "channel.manage", "channel.export", "contract.view", "contract.templates"}},
		{Code: "editor", Name: "内容审核", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{
			"evaluation.view", "evaluation.moderate", "policy.view", "policy.publish", "content.edit", "content.publish", "knowledge.view", "knowledge.edit", "knowledge.review", "canned.share"}},
		{Code: "agent", Name: "热线坐席", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{
			"ticket.open", "ticket.view", "ticket.answer", "ticket.decline", "ticket.dispatch", "ticket.close", "ticket.reopen", "ticket.void", "ticket.export",
			"ticket.review", "ticket.decide", "ticket.forward", "ticket.suspend", "ticket.merge", "ticket.link", "ticket.archive", "ticket.urge", "calendar.view",
			"ticket.claim", "ticket.note",
			"knowledge.view", "knowledge.edit", "directory.view",
			"seat.sit", "quality.own", "ticket.reveal", "intake.inbox"}},
		{Code: "desk_lead", Name: "热线班长（督办）", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []p{
			"ticket.open", "ticket.view", "ticket.answer", "ticket.decline", "ticket.dispatch", "ticket.close", "ticket.reopen", "ticket.void", "ticket.export",
			"ticket.review", "ticket.decide", "ticket.forward", "ticket.suspend", "ticket.merge", "ticket.link", "ticket.archive",
			"ticket.undo", "ticket.undo_any", "ticket.arbitrate", "ticket.types", "ticket.import", "ticket.urge", "ticket.budgets", "calendar.view",
			"knowledge.view", "knowledge.edit", "knowledge.review", "canned.share", "directory.view",
			"ticket.claim", "ticket.assign", "ticket.note", "ticket.share_view",
			"seat.sit", "seat.view", "seat.manage", "cti.listen", "cti.manage", "ticket.reveal", "ticket.confidential",
			"supervision.view", "supervision.manage", "appraisal.view", "appraisal.manage", "appraisal.export",
			"quality.own", "quality.view", "quality.score", "quality.manage", "quality.export", "ticket.expire", "intake.inbox"}},
		{Code: "dept_handler", Name: "部门经办人", Party: access.Government, Scope: access.ScopeDepartment, Permissions: []p{
			"ticket.view", "ticket.sign", "ticket.reply", "ticket.forward", "ticket.suspend", "ticket.request", "ticket.link", "ticket.claim", "ticket.note", "knowledge.view", "knowledge.edit",
			"ticket.reveal"}},
		{Code: "dept_leader", Name: "部门领导", Party: access.Government, Scope: access.ScopeSubtree, Permissions: []p{
			"ticket.view", "ticket.sign", "ticket.reply", "ticket.export", "ticket.forward", "ticket.suspend", "ticket.request", "ticket.link",
			"ticket.endorse", "ticket.decide", "ticket.undo", "ticket.instruct",
			"ticket.claim", "ticket.assign", "ticket.note", "ticket.share_view",
			"knowledge.view", "knowledge.edit", "knowledge.review", "canned.share", "directory.view", "appraisal.view", "appraisal.export"}},
		{Code: "reviewer", Name: "政府终审员", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []p{
			"institution.view", "institution.approve", "product.view", "product.review_government", "product.take_down", "product.export", "application.view", "application.supervise", "application.results", "enterprise.view", "enterprise.size_publish", "enterprise.tag_publish", "policy.view", "policy.publish",
			"consent.view", "consent.publish", "policy.reverse", "policy.push_approve", "policy.grant_decide", "evaluation.view", "evaluation.export", "evidence.assess", "evidence.view", "evidence.export", "offline.view", "offline.export", "demand.view", "demand.export", "channel.view", "channel.export", "contract.view"}},
		{Code: "institution_admin", Name: "机构管理员", Party: access.Institution, Scope: access.ScopeSelf, Permissions: []p{
			"product.view", "product.edit", "product.export", "application.view", "application.handle", "application.undo", "application.results", "application.export", "institution.operators", "institution.papers", "evaluation.view", "evaluation.reply", "evaluation.export", "evidence.add", "conversation.talk", "offline.record", "offline.export", "demand.quote", "contract.draft", "contract.sign", "contract.templates"}},
		{Code: "institution_operator", Name: "机构操作员", Party: access.Institution, Scope: access.ScopeSelf, Permissions: []p{
			"product.view", "product.edit", "application.view", "application.handle", "evaluation.view", "evaluation.reply", "evidence.add", "conversation.talk", "offline.record", "demand.quote", "contract.draft"}},
		{Code: "enterprise_owner", Name: "企业负责人", Party: access.Enterprise, Scope: access.ScopeSelf},
	}
}
