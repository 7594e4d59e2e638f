package identity

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// ImportTarget is the list of staff whose accounts are opened from a spreadsheet (requirement A5). Each account is opened by
// the rules of opening one by hand; accounts that are there already are left alone. It needs identity.users.
func (s *Service) ImportTarget() sheet.Target {
	return sheet.Target{
		Name: "staff", Title: "工作人员账号", Permission: "identity.users", Key: "account", Check: s.staffCheck, Existing: s.staffExisting, Prepare: s.staffPrepare,
		Publish: s.staffPublish, ExtraTitles: []string{"初始密码（首次登录须修改）"}, Extra: s.staffPassword,
		Note: "按账号识别人员。每个新账号生成一个初始密码，发布后可下载发放清单，首次登录须修改；已有账号不会被修改。",
		Fields: []sheet.TargetField{
			{Key: "name", Title: "姓名", Aliases: []string{"人员姓名", "用户姓名"}, Kind: sheet.LineField, Required: true, Example: "王芳"},
			{Key: "account", Title: "账号", Aliases: []string{"登录账号", "用户名", "登录名", "工号"}, Kind: sheet.CodeField, Required: true, Help: "3 至 32 位小写字母、数字、点、横线或下划线，以字母开头", Example: "wangfang"},
			{Key: "phone", Title: "手机号", Aliases: []string{"手机", "手机号码", "联系电话", "电话"}, Kind: sheet.CodeField, Required: true, Help: "接收登录短信验证码", Example: "13800138000"},
			{Key: "party", Title: "人员类别", Aliases: []string{"类别", "身份"}, Kind: sheet.LineField, Required: true, Help: "政府部门、平台、服务机构之一", Example: "政府部门"},
			{Key: "place", Title: "部门或机构", Aliases: []string{"部门", "所属部门", "单位", "机构", "所属机构", "部门名称"}, Kind: sheet.LineField, Help: "全称；同名的写成“上级 / 本级”。平台人员可不填", Example: "区营商环境服务中心"},
			{Key: "roles", Title: "角色", Aliases: []string{"角色名称", "岗位"}, Kind: sheet.LineField, Required: true, Help: "角色名称，多个用顿号隔开", Example: "部门经办人"},
		},
	}
}

var partyWords = map[string]access.Party{"政府部门": access.Government, "政府": access.Government, "部门": access.Government, "平台": access.Platform, "平台运营": access.Platform,
	"服务机构": access.Institution, "机构": access.Institution}

// staffLine is a row of the list, understood.
type staffLine struct {
	name, account, phone string
	cmd                  NewUser
}

// staffLine reads a record by the words people use; problems are what is wrong with it.
func (s *Service) staffLine(ctx context.Context, db bun.IDB, r sheet.Record) (staffLine, []sheet.RowProblem, error) {
	var out staffLine
	var problems []sheet.RowProblem
	bad := func(field string, err error) bool {
		f, ok := fault.As(err)
		if ok {
			problems = append(problems, sheet.RowProblem{Field: field, Code: f.Code, Message: f.Message})
		}
		return ok
	}
	var err error
	if out.name, err = text.Line("name", r.Values["name"], 1, 30); err != nil && !bad("name", err) {
		return out, nil, err
	}
	out.account = strings.ToLower(r.Values["account"])
	if !accountShape.MatchString(out.account) {
		bad("account", fault.New(fault.Invalid, "BAD_ACCOUNT", "账号为 3 至 32 位的小写字母、数字、点、横线或下划线，以字母开头"))
	}
	if out.phone, err = phone.Normalize(r.Values["phone"]); err != nil && !bad("phone", err) {
		return out, nil, err
	}
	out.cmd.Party = partyWords[norm.NFKC.String(r.Values["party"])]
	if out.cmd.Party == "" {
		bad("party", fault.New(fault.Invalid, "BAD_PARTY", "人员类别应为“政府部门”“平台”或“服务机构”"))
		return out, problems, nil
	}
	place := norm.NFKC.String(r.Values["place"])
	switch {
	case place == "" && out.cmd.Party == access.Platform:
	case place == "":
		bad("place", fault.New(fault.Invalid, "NO_PLACE", "请填写部门或机构的全称"))
	case out.cmd.Party == access.Institution:
		err = s.staffInstitution(ctx, db, place, &out.cmd)
	default:
		err = s.staffDepartment(ctx, db, place, &out.cmd)
	}
	if err != nil && !bad("place", err) {
		return out, nil, err
	}
	for _, name := range strings.FieldsFunc(norm.NFKC.String(r.Values["roles"]), func(r rune) bool { return strings.ContainsRune("、,;，；/|\n", r) }) {
		var codes []string
		name = strings.TrimSpace(name)
		if err := db.NewSelect().Model((*role)(nil)).Column("code").Where("(r.name = ? OR r.code = ?) AND r.party = ?", name, name, out.cmd.Party).Limit(2).Scan(ctx, &codes); err != nil {
			return out, nil, err
		}
		if len(codes) != 1 {
			bad("roles", fault.New(fault.Invalid, "UNKNOWN_ROLE", "没有适用于这类人员的角色“"+text.Truncate(name, 20)+"”，请填写“角色管理”中的名称"))
			continue
		}
		if !slices.Contains(out.cmd.Roles, codes[0]) {
			out.cmd.Roles = append(out.cmd.Roles, codes[0])
		}
	}
	return out, problems, nil
}

// staffDepartment finds a department by its name; one of several of that name is told by the names above it.
func (s *Service) staffDepartment(ctx context.Context, db bun.IDB, place string, into *NewUser) error {
	parts := strings.FieldsFunc(place, func(r rune) bool { return r == '/' })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) == 0 {
		return fault.New(fault.Invalid, "NO_DEPARTMENT", "请填写部门的全称")
	}
	var rows []department
	if err := db.NewSelect().Model(&rows).Where("d.name IN (?, ?)", parts[len(parts)-1], parts[len(parts)-1]+"〔演示〕").Limit(50).Scan(ctx); err != nil {
		return err
	}
	if len(rows) > 1 && len(parts) > 1 {
		var above []int64
		if err := db.NewSelect().Model((*department)(nil)).Column("id").Where("d.name IN (?, ?)", parts[len(parts)-2], parts[len(parts)-2]+"〔演示〕").Scan(ctx, &above); err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(d department) bool { return d.ParentID == nil || !slices.Contains(above, *d.ParentID) })
	}
	switch len(rows) {
	case 0:
		return fault.New(fault.Invalid, "NO_DEPARTMENT", "没有这个部门，请填写“部门”页面中的全称")
	case 1:
		into.DepartmentID = rows[0].ID
		return nil
	}
	return fault.New(fault.Invalid, "MANY_DEPARTMENTS", "有多个同名部门，请写成“上级部门 / 本部门”")
}

func (s *Service) staffInstitution(ctx context.Context, db bun.IDB, place string, into *NewUser) error {
	if s.InstitutionList == nil {
		return fault.New(fault.Invalid, "NO_INSTITUTION", "没有这家机构，请核对全称")
	}
	list, err := s.InstitutionList.Institutions(ctx, db)
	if err != nil {
		return err
	}
	for _, i := range list {
		if i.Name == place || strings.TrimSuffix(i.Name, "〔演示〕") == place {
			into.InstitutionID = i.ID
			return nil
		}
	}
	return fault.New(fault.Invalid, "NO_INSTITUTION", "没有这家机构，请核对全称；停用的机构不能新增人员")
}

func (s *Service) staffCheck(ctx context.Context, actor access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
	if err := actor.Need("identity.users"); err != nil {
		return r, nil, err
	}
	db := s.DB.Read()
	l, problems, err := s.staffLine(ctx, db, r)
	if err != nil || len(problems) > 0 {
		return r, problems, err
	}
	out := sheet.Record{Row: r.Row, Values: map[string]string{}}
	for k, v := range r.Values {
		out.Values[k] = v
	}
	out.Values["name"], out.Values["account"], out.Values["phone"] = l.name, l.account, l.phone
	var holder []string
	if err := db.NewSelect().Model((*user)(nil)).ColumnExpr("coalesce(account, '')").Where("phone_blind IN ?", bun.Tuple(s.Box.Blinds("phone", l.phone))).Scan(ctx, &holder); err != nil {
		return r, nil, err
	}
	if len(holder) > 0 && holder[0] != l.account {
		problems = append(problems, sheet.RowProblem{Field: "phone", Code: "PHONE_TAKEN", Message: "该手机号已用于另一个账号，请更换"})
	}
	return out, problems, nil
}

func (s *Service) staffExisting(ctx context.Context, actor access.Actor, accounts []string) (map[string]bool, error) {
	if err := actor.Need("identity.users"); err != nil || len(accounts) == 0 {
		return nil, err
	}
	var rows []string
	err := s.DB.Read().NewSelect().Model((*user)(nil)).Column("account").Where("account IN ?", bun.Tuple(accounts)).Scan(ctx, &rows)
	out := make(map[string]bool, len(rows))
	for _, a := range rows {
		out[a] = true
	}
	return out, err
}

// staffPrepare makes the hash of the first password, which takes too long for a transaction. An account that is there needs
// none.
func (s *Service) staffPrepare(ctx context.Context, actor access.Actor, r sheet.Record, origin string) (any, error) {
	known, err := s.staffExisting(ctx, actor, []string{r.Values["account"]})
	if err != nil || known[r.Values["account"]] {
		return "", err
	}
	return s.Box.HashPassword(ctx, s.temporaryPassword(actor, origin, r.Values["account"]))
}

func (s *Service) staffPublish(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, _ string, prepared any) (sheet.Change, int64, error) {
	if err := actor.Need("identity.users"); err != nil {
		return "", 0, err
	}
	var there user
	err := database.Found(tx.NewSelect().Model(&there).Where("account = ?", r.Values["account"]).Scan(ctx))
	switch {
	case err == nil && on == sheet.Skip:
		return sheet.Skipped, there.ID, nil
	case err == nil:
		return "", 0, sheet.ErrExists.On("account")
	case fault.KindOf(err) != fault.NotFound:
		return "", 0, err
	}
	hash, _ := prepared.(string)
	if hash == "" { // the account was there a moment ago
		return "", 0, fault.ErrUnavailable
	}
	l, problems, err := s.staffLine(ctx, tx, r)
	if err != nil {
		return "", 0, err
	}
	if len(problems) > 0 {
		return "", 0, fault.InvalidField(problems[0].Field, problems[0].Code, problems[0].Message)
	}
	u := s.newUser(l.phone, l.name, l.cmd.Party, s.Clock.Now())
	u.Account, u.PasswordHash, u.MustChange = &l.account, hash, true
	id, err := s.openAccount(ctx, tx, actor, u, l.cmd)
	return sheet.Created, id, err
}

// staffPassword tells the first password of an account as long as it is still the one to sign in with.
func (s *Service) staffPassword(ctx context.Context, actor access.Actor, r sheet.Record, id int64, origin string) ([]string, error) {
	if err := actor.Need("identity.users"); err != nil {
		return nil, err
	}
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ?", id).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	if !u.MustChange {
		return []string{"已修改密码"}, nil
	}
	first := s.temporaryPassword(actor, origin, r.Values["account"])
	if u.Version > 1 { // edited since: perhaps the password was reset
		if ok, _, err := s.Box.VerifyPassword(ctx, first, u.PasswordHash); err != nil || !ok {
			return []string{"已重置密码"}, err
		}
	}
	return []string{first}, nil
}
