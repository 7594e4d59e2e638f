package demo

import (
	"fmt"
	"strings"

	"github.com/huiqi/huiqi/seed/reference"
)

const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"

const given = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅鑫波辉健晨宇欣怡博文思雨佳慧志远建国晓东海燕立新春生国庆永康雪松宏亮子涵梓萱浩然俊峰婷婷凤玲德胜长江学军文静"

// person returns an invented name no one else in the world has.
func (g *generator) person() string {
	if g.names == nil {
		g.names = map[string]bool{}
	}
	s, n := []rune(surnames), []rune(given)
	for {
		name := string(pick(g, s)) + string(pick(g, n))
		if g.chance(70) {
			name += string(pick(g, n))
		}
		if !g.names[name] {
			g.names[name] = true
			return name
		}
	}
}

func (g *generator) nextCode() string {
	g.codes++
	return CreditCode(g.codes)
}

func (g *generator) departments() error {
	var list []struct {
		Code, Parent, Name, Duties string
		Units                      []string
	}
	if err := load("departments.yaml", &list); err != nil {
		return err
	}
	n := 0
	add := func(d Department) {
		n++
		d.Name += Mark
		d.Phone = phone(1, n)
		if d.Level < 3 {
			d.CreditCode = g.nextCode()
		}
		g.w.Departments = append(g.w.Departments, d)
	}
	for _, d := range list {
		level := 2
		if d.Parent == "" {
			level = 1
		}
		add(Department{Code: d.Code, Parent: d.Parent, Name: d.Name, Level: level, Duties: d.Duties})
		for i, u := range d.Units {
			add(Department{Code: fmt.Sprintf("%s-%02d", d.Code, i+1), Parent: d.Code, Name: d.Name + u, Level: 3, Duties: u + "日常工作"})
		}
	}
	divisions, err := reference.Divisions()
	if err != nil {
		return err
	}
	for _, d := range divisions {
		if len(d.Code) != 9 {
			continue
		}
		name, unit := d.Name+"人民政府", "经济发展办公室"
		if d.Level == "street" {
			name, unit = d.Name+"办事处", "营商服务办公室"
		}
		code := "TZ-" + d.Code[6:]
		add(Department{Code: code, Parent: "TZ", Name: name, Level: 2, Street: d.Code, Duties: "辖区企业走访服务、诉求办理与环境秩序"})
		add(Department{Code: code + "-01", Parent: code, Name: name + unit, Level: 3, Street: d.Code, Duties: "辖区企业联系服务"})
	}
	return nil
}

func (g *generator) staff() error {
	n := 0
	add := func(key, party, role, roleName, department, title string) {
		n++
		g.w.Staff = append(g.w.Staff, Staff{Key: key, Name: g.person() + Mark, Phone: phone(2, n), Party: party,
			Role: role, RoleName: roleName, Department: department, Title: title})
	}
	add("sysadmin", "platform", "system_admin", "系统管理员", "", "系统管理员")
	add("secadmin", "platform", "security_admin", "安全管理员", "", "安全管理员")
	add("auditor", "platform", "audit_admin", "审计管理员", "", "审计管理员")
	add("operator01", "platform", "platform_operator", "平台运营", "", "运营初审员")
	add("operator02", "platform", "platform_operator", "平台运营", "", "运营初审员")
	add("editor01", "platform", "editor", "内容编辑", "", "内容编辑")
	for i := range 6 {
		add(fmt.Sprintf("agent%02d", i+1), "platform", "agent", "坐席", "", "热线坐席")
	}
	add("lead01", "platform", "desk_lead", "班长", "", "热线班长")
	add("dispatcher01", "platform", "dispatcher", "派单员", "", "派单员")
	add("callback01", "platform", "callback", "回访员", "", "回访员")
	add("callback02", "platform", "callback", "回访员", "", "回访员")
	add("reviewer01", "government", "government_reviewer", "政府终审员", "TZ-JXJ", "中小企业服务终审")
	add("reviewer02", "government", "government_reviewer", "政府终审员", "TZ-JRB", "金融产品终审")
	for _, d := range g.w.Departments {
		if d.Level != 2 {
			continue
		}
		short := strings.ToLower(strings.TrimPrefix(d.Code, "TZ-"))
		add("handler-"+short, "government", "handler", "部门经办", d.Code, "经办人")
		add("leader-"+short, "government", "department_leader", "部门领导", d.Code, "分管领导")
	}
	for _, d := range []string{"TZ-JXJ-01", "TZ-SCJ-02", "TZ-RSJ-03"} {
		add("handler-"+strings.ToLower(strings.TrimPrefix(d, "TZ-")), "government", "handler", "部门经办", d, "科室经办人")
	}
	return nil
}
