package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/proxy"
	"github.com/uptrace/bun"

	adminui "github.com/huiqi/huiqi/admin-ui"
	"github.com/huiqi/huiqi/h5"
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
	"github.com/huiqi/huiqi/modules/export"
	"github.com/huiqi/huiqi/modules/extra"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/importing"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/modules/licence"
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
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/live"
	"github.com/huiqi/huiqi/platform/localsign"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/relay"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Migrations are all steps of the schema.
func Migrations() []database.Migration {
	return slices.Concat(
		event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, search.Migrations,
		message.Migrations,
		identity.Migrations,
		enterprise.Migrations,
		consent.Migrations,
		review.Migrations,
		licence.Migrations,
		file.Migrations,
		ticket.Migrations,
		calendar.Migrations,
		institution.Migrations,
		extra.Migrations,
		catalog.Migrations,
		application.Migrations,
		policy.Migrations,
		policy.ReachMigrations,
		content.Migrations,
		knowledge.Migrations,
		canned.Migrations,
		directory.Migrations,
		seat.Migrations,
		cti.Migrations,
		supervision.Migrations,
		appraisal.Migrations,
		quality.Migrations,
		exchange.Migrations,
		export.Migrations,
		importing.Migrations,
		backup.Migrations,
		secret.Migrations,
		operations.Migrations,
		intake.Migrations,
		onelink.Migrations,
		evaluation.Migrations,
		evidence.Migrations,
		conversation.Migrations,
		offline.Migrations,
		demand.Migrations,
		channel.Migrations,
		localsign.Migrations,
		contract.Migrations,
	)
}

// house is everything of one process, joined.
type house struct {
	db      *database.DB
	clock   clock.Clock
	box     *secret.Box
	web     *web.Server
	pages   *web.Pages
	live    *live.Hub
	queue   *jobs.Queue
	feed    *event.Feed
	sealer  *audit.Sealer
	rotator secret.Rotator

	identity      *identity.Service
	uploads       *file.Service
	tickets       *ticket.Service
	calendars     *calendar.Service
	enterprises   *enterprise.Service
	consents      *consent.Service
	reviews       *review.Service
	licences      *licence.Service
	institutions  *institution.Service
	catalog       *catalog.Service
	applications  *application.Service
	evaluations   *evaluation.Service
	evidence      *evidence.Service
	conversations *conversation.Service
	contracts     *contract.Service
	policies      *policy.Service
	content       *content.Service
	knowledge     *knowledge.Service
	canned        *canned.Service
	directory     *directory.Service
	seats         *seat.Service
	telephone     *cti.Service
	supervision   *supervision.Service
	appraisal     *appraisal.Service
	quality       *quality.Service
	messages      *message.Service
	exchange      *exchange.Service
	exports       *export.Service
	imports       *importing.Service
	backups       *backup.Service
	intake        *intake.Service
	operations    *operations.Service

	offline  *offline.Service
	demands  *demand.Service
	channels *channel.Service
	extra    *extra.Service
	// links makes the links in text messages that work without signing in.
	links *onelink.Maker
	// sees says for each kind of object who may read its files.
	sees map[string]func(ctx context.Context, actor access.Actor, id int64) error
	// listeners read the events that modules announce.
	listeners []event.Listener
	// tasks are what the clock asks for, background what runs as long as the process that works: serve on SQLite, worker
	// beside it on PostgreSQL.
	tasks      []jobs.Task
	background []func(ctx context.Context) error
	// everywhere is what runs in every process, whatever it does.
	everywhere []func(ctx context.Context) error
	scheduler  *jobs.Scheduler
	// mirrors are the copies of the full text in an outside engine, by kind; nil without one.
	mirrors outsideSearch
}

// parts are what differs between an installation, a demo and a test.
type parts struct {
	outside

	log   *slog.Logger
	clock clock.Clock
	// elapsed is how long the process has run, by a clock that nobody sets; nil is the machine's. A test whose clock jumps
	// gives its own.
	elapsed func() time.Duration
	// relay is the line to the other processes; nil without one.
	relay *relay.Relay
	// sandbox is the address of the sandbox process; empty outside a demo.
	sandbox string
}

// build joins the modules. It opens nothing but what db gives.
func build(ctx context.Context, c Config, db *database.DB, key string, p parts) (*house, error) {
	box, err := openBox(c, key)
	if err != nil {
		return nil, err
	}
	h := &house{db: db, clock: p.clock, box: box,
		sees: map[string]func(context.Context, access.Actor, int64) error{}}
	workers := jobs.NewWorkers()
	quiet, err := message.ParseQuietHours(c.SMS.QuietHours)
	if err != nil {
		return nil, err
	}
	h.messages = message.New(message.Deps{DB: db, Clock: p.clock, Box: box, People: contacts{h}, Sender: p.sender, Poster: p.poster, Quiet: quiet, Log: p.log}, workers)
	h.scheduler = newScheduler(db, c, p, workers)
	h.openExchange(c, p, workers)
	if err := h.openExports(c, p, workers); err != nil {
		return nil, err
	}
	if err := h.openImports(c, p, workers); err != nil {
		return nil, err
	}
	if err := h.openFiles(c, p, workers); err != nil {
		return nil, err
	}
	h.openIntake(c, p, workers)
	h.openReach(workers)
	h.reviews = h.newReviews(p)
	companies := h.newEnterprises(c, p, workers)
	h.enterprises = companies
	if h.queue, err = jobs.New(ctx, db, workers, p.log); err != nil {
		return nil, err
	}
	h.messages.Use(h.queue)
	h.exchange.Use(h.queue)
	h.intake.Use(h.queue)
	companies.Use(h.queue)

	h.openChannels(c)
	h.joinCatalog(c, p)
	h.identity = identity.New(identity.Deps{
		DB: db, Clock: p.clock, Box: box, Companies: companyKeeper{companies}, Deputies: h.reviews, Institutions: h.institutions, Texter: codeTexter{h.messages}, Log: p.log,
		District: c.District, Demo: c.Demo, Permissions: permissions(), Roles: roles(),
		InstitutionList: workplaces{h.institutions}, Wechat: wechatOf(p.wechat), PublicURL: hostOf(c.PublicURL), CodesPerDay: c.SMS.CodesPerDay, Arrivals: h.channels,
	})
	uploads := h.uploads
	uploads.Use(h.queue)
	outsideEngine, err := h.openSearch(c, p)
	if err != nil {
		return nil, err
	}
	h.joinCalendar(p)
	h.tickets = ticket.New(ticket.Deps{
		Judging:   ticketJudging{h},
		Calendars: h.calendars, Colleagues: ticketColleagues{h.identity}, Callers: callers{h.identity, companies}, Puzzles: h.identity,
		Areas: ticketAreas{h},
		DB:    db, Clock: p.clock, Box: box, Units: units{h.identity}, Requesters: requesters{h.identity, companies}, Files: ticketFiles{uploads}, Uploads: ticketFiles{uploads}, Outside: outsideEngine,
		People: colleagues{h.identity}, Seats: readySeats{h}, Assigning: c.Desk.assigning(), Log: p.log, Lease: c.Jobs.lease(),
	})
	if h.policies, err = h.newPolicies(p, companies, consented{h}); err != nil {
		return nil, err
	}
	h.sees["ticket"], h.sees["policy"], h.sees[policy.ObjectDraft] = h.tickets.Sees, h.policies.Sees, h.policies.SeesDraft
	h.sees[enterprise.ObjectAttempt] = companies.Sees
	h.joinConsents()
	h.joinReach(c)
	h.joinLicences()
	h.joinApplications(c, p, outsideEngine)
	h.channels.Applications = h.applications
	h.joinEvaluations(c)
	h.joinEvidence(c)
	h.joinConversations()
	h.joinOffline(c)
	h.joinDemands()
	h.joinContracts(c)
	h.joinContent(uploads)
	h.joinKnowledge()
	h.joinCanned()
	h.joinSeats()
	if err := h.joinTelephone(c); err != nil {
		return nil, err
	}
	if err := h.joinDirectory(); err != nil {
		return nil, err
	}
	h.joinSupervision()
	h.listeners = append(h.listeners, event.Listener{Name: "ticket.receipts", Handle: h.sendReceipt}, h.judgeLinks(c.PublicURL))
	h.joinAppraisal()
	h.joinQuality()
	h.joinExports()
	h.joinImports(p)
	if err := h.joinBackup(c, p, h.uploads.Store.Storage()); err != nil {
		return nil, err
	}
	if err := h.joinAudit(c, p); err != nil {
		return nil, err
	}
	h.joinKeys(c, p)
	h.listeners = append(h.listeners, notices{messages: h.messages, audience: staffOf{h}, followers: h.policies.Followers, log: p.log, cleared: h.cleared}.listener())
	h.feed = event.NewFeed(db, p.log, h.listeners...)
	h.tasks = slices.Concat(h.tasks, h.identity.Tasks(), h.enterprises.Tasks(), h.tickets.Tasks(), h.catalog.Tasks(), h.policies.Tasks(), h.exchange.Tasks(), h.intake.Tasks())
	h.joinDesk()
	h.joinOperations(c, p)
	h.background = append(h.background, h.queue.Run, h.feed.Run, h.exchange.Run, h.scheduler.Run)

	renderer, err := page.New(page.Options{
		District: c.District, Demo: c.Demo, Clock: p.clock,
		Site: siteInfo(c),
		Nav: []page.NavItem{
			{Key: "home", Text: "首页", URL: "/"},
			{Key: "policies", Text: "政策", URL: "/policies"},
			{Key: "products", Text: "服务产品", URL: "/products"},
			{Key: "finance", Text: "融资", URL: "/finance"},
			{Key: "demands", Text: "需求大厅", URL: "/demands"},
			{Key: "news", Text: "资讯", URL: "/news"},
			{Key: "help", Text: "诉求与帮助", URL: "/help"},
			{Key: "my", Text: "我的", URL: "/my"},
		},
		Me: []page.NavItem{
			{Key: "my", Text: "概览", URL: "/my", Icon: "folder"},
			{Key: "tickets", Text: "我的诉求", URL: "/tickets", Icon: "mail"},
			{Key: "applications", Text: "我的申请", URL: "/applications", Icon: "document"},
			{Key: "my-demands", Text: "我的需求", URL: "/my/demands", Icon: "search"},
			{Key: "suitable", Text: "适合本企业的产品", URL: "/products/suitable", Icon: "star"},
			{Key: "offline", Text: "线下服务", URL: "/offline-services", Icon: "people"},
			{Key: "messages", Text: "我的消息", URL: "/messages", Icon: "bell"},
			{Key: "company", Text: "我的企业", URL: "/company", Icon: "building"},
			{Key: "onboarding", Text: "机构入驻", URL: "/institutions/apply", Icon: "certificate"},
		},
		Links: page.Links{Search: "/search", Elder: "/elder", Login: "/login", Register: "/register", Logout: "/logout", Me: "/my", Messages: "/messages", Help: "/help", Answers: "/answers", Ask: "/tickets/new",
			Privacy: "/privacy", SiteMap: "/sitemap", Accessibility: "/accessibility", Connect: "/open311"},
	})
	if err != nil {
		return nil, err
	}
	pages := &web.Pages{Renderer: renderer, User: h.portalUser}
	h.pages = pages
	h.web, err = web.New(web.Options{
		Log: p.log, Authenticate: h.identity.Authenticate, CSRFKey: []byte(box.MAC("csrf", "forms")), Open: c.Demo || c.OpenDocs,
		TrustedProxies: c.TrustedProxies, Ready: db.Ping, Bound: db.Bound, ErrorPage: pages.Error, Version: version, RequestsPerMinute: c.RequestsPerMinute,
		Take: p.take(), Drain: c.drain(),
		AuthenticateKey: h.exchange.Authenticate, Called: h.exchange.Called,
	})
	if err != nil {
		return nil, err
	}
	pages.Register(h.web)
	h.identity.API(h.web)
	uploads.API(h.web)
	ticket.Register(h.web.API, h.tickets)
	ticket.RegisterConfidential(h.web.API, h.tickets)
	calendar.Register(h.web.API, h.calendars)
	policy.Register(h.web.API, h.policies)
	policy.RegisterReach(h.web.API, h.policies)
	policy.RegisterLibrary(h.web.API, h.policies)
	policy.RegisterReading(h.web.API, h.policies)
	enterprise.Register(h.web.API, companies)
	consent.Register(h.web.API, h.consents)
	licence.Register(h.web.API, h.licences)
	institution.Register(h.web.API, h.institutions)
	review.Register(h.web.API, h.reviews)
	institution.RegisterOnboarding(h.web.API, h.institutions)
	institution.RegisterApplying(h.web.API, h.institutions)
	institution.RegisterRenewals(h.web.API, h.institutions)
	catalog.Register(h.web.API, h.catalog)
	application.Register(h.web.API, h.applications)
	evaluation.Register(h.web.API, h.evaluations)
	evidence.Register(h.web.API, h.evidence)
	conversation.Register(h.web.API, h.conversations)
	offline.Register(h.web.API, h.offline)
	demand.Register(h.web.API, h.demands)
	channel.Register(h.web.API, h.channels)
	extra.Register(h.web.API, h.extra)
	contract.Register(h.web.API, h.contracts)
	content.Register(h.web.API, h.content)
	knowledge.Register(h.web.API, h.knowledge)
	canned.Register(h.web.API, h.canned)
	directory.Register(h.web.API, h.directory)
	seat.Register(h.web.API, h.seats)
	h.telephone.API(h.web)
	supervision.Register(h.web.API, h.supervision)
	appraisal.Register(h.web.API, h.appraisal)
	quality.Register(h.web.API, h.quality)
	message.Register(h.web.API, h.messages)
	exchange.Register(h.web.API, h.exchange)
	h.exports.API(h.web)
	h.imports.API(h.web)
	backup.Register(h.web.API, h.backups)
	operations.Register(h.web.API, h.operations)
	if err := h.routeIntake(p, pages); err != nil {
		return nil, err
	}
	for _, add := range []func(*web.Server, *web.Pages) error{
		h.portalOf(p).Pages,
		h.identity.Pages,
		h.tickets.Pages,
		companies.Pages,
		h.consents.Pages,
		h.licences.Pages,
		h.institutions.Pages,
		h.reviews.Pages,
		h.catalog.Pages,
		h.applications.Pages,
		h.evaluations.Pages,
		h.evidence.Pages,
		h.conversations.Pages,
		h.offline.Pages,
		h.demands.Pages,
		h.channels.Pages,
		h.contracts.Pages,
		h.policies.Pages,
		h.policies.ReachPages,
		h.content.Pages,
		h.knowledge.Pages,
		h.messages.Pages,
	} {
		if err := add(h.web, pages); err != nil {
			return nil, err
		}
	}
	h.openLive(p)
	h.web.Front("/m", h5.Dist())
	h.web.Front("/admin", adminui.Dist)
	if p.sandbox != "" {
		h.sandboxProxy(p.sandbox)
	}
	return h, h.scheduler.Use(h.queue, h.tasks...)
}

// version is shown in the interface document.
const version = "0.1.0"

// portalUser says how the signed-in person is shown in the portal's top bar.
func (h *house) portalUser(ctx context.Context, actor access.Actor) (*page.User, error) {
	me, err := h.identity.Me(ctx, actor)
	if err != nil {
		return nil, err
	}
	u := &page.User{Name: actor.Name}
	if me.Enterprise != nil {
		u.Company = me.Enterprise.Name
		u.Verification = enterprise.Tag(enterprise.Verification(me.Enterprise.Verification))
	}
	if u.Unread, err = h.messages.Unread(ctx, actor); err != nil {
		return nil, err
	}
	return u, nil
}

// sandboxProxy passes /sandbox/ on to the sandbox process of a demo.
func (h *house) sandboxProxy(addr string) {
	rule := access.Rule{Kind: "demo", Why: "仅演示环境：外部系统的替身"}
	for _, method := range []string{"GET", "POST"} {
		h.web.Raw(method, "/sandbox/*", rule, func(c *fiber.Ctx) error {
			policy := string(c.Response().Header.Peek("Content-Security-Policy"))
			if err := proxy.Do(c, "http://"+addr+c.OriginalURL()); err != nil {
				return fault.ErrUnavailable.Wrap(err)
			}
			c.Set("Content-Security-Policy", policy)
			c.Set("X-Content-Type-Options", "nosniff")
			c.Response().Header.Del("Server")
			return nil
		})
	}
	h.web.Page("GET", "/sandbox", rule, func(c *fiber.Ctx) error { return c.Redirect("/sandbox/") })
}

// companyKeeper lets identity open and name companies.
type companyKeeper struct{ *enterprise.Service }

var _ identity.Companies = companyKeeper{}

// Company names a company.
func (k companyKeeper) Company(ctx context.Context, db bun.IDB, id int64) (identity.Company, error) {
	b, err := k.Brief(ctx, db, id)
	return identity.Company(b), err
}

// codeTexter lets identity send codes through the message centre.
type codeTexter struct{ *message.Service }

var _ identity.Texter = codeTexter{}

// TextCode writes the message to the outbox.
func (t codeTexter) TextCode(ctx context.Context, tx bun.Tx, phone, code string) error {
	return t.Text(ctx, tx, message.Text{Phone: phone, Template: "code", Params: map[string]string{"code": code}})
}

// units lets the desk dispatch to departments.
type units struct{ *identity.Service }

var _ ticket.Units = units{}

// Unit returns one department.
func (u units) Unit(ctx context.Context, db bun.IDB, id int64) (ticket.UnitInfo, error) {
	d, err := u.Department(ctx, db, id)
	return ticket.UnitInfo(d), err
}

// Units lists the departments below the district government.
func (u units) Units(ctx context.Context, db bun.IDB) ([]ticket.UnitInfo, error) {
	all, err := u.Departments(ctx, db)
	list := make([]ticket.UnitInfo, 0, len(all))
	for _, d := range all {
		if d.Levels[1] != 0 {
			list = append(list, ticket.UnitInfo(d))
		}
	}
	return list, err
}

// requesters tells the desk about people with accounts.
type requesters struct {
	people    *identity.Service
	companies *enterprise.Service
}

var _ ticket.Requesters = requesters{}

// Contact returns how a person is reached.
func (r requesters) Contact(ctx context.Context, db bun.IDB, userID int64) (ticket.Contact, error) {
	name, phone, err := r.people.Contact(ctx, db, userID)
	return ticket.Contact{Name: name, Phone: phone}, err
}

// EnterpriseName names a company.
func (r requesters) EnterpriseName(ctx context.Context, db bun.IDB, id int64) (string, error) {
	b, err := r.companies.Brief(ctx, db, id)
	return b.Name, err
}

// EnterprisesByCode finds companies by the beginning of their credit code.
func (r requesters) EnterprisesByCode(ctx context.Context, db bun.IDB, prefix string, limit int) ([]int64, error) {
	return r.companies.ByCode(ctx, db, prefix, limit)
}

// ticketFiles lets tickets keep files.
type ticketFiles struct{ *file.Service }

var (
	_ ticket.Files   = ticketFiles{}
	_ ticket.Uploads = ticketFiles{}
)

// Of lists the files of an object.
func (f ticketFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]ticket.FileView, error) {
	views, err := f.Service.Of(ctx, db, object, id)
	list := make([]ticket.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, ticket.FileView(v))
	}
	return list, err
}

// Save keeps a file that came with a form.
func (f ticketFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (ticket.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return ticket.FileView(v), err
}

// hostOf names the address for the person who started the program.
func hostOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return publicURL
	}
	return fmt.Sprintf("%s://%s", u.Scheme, strings.TrimSuffix(u.Host, "/"))
}
