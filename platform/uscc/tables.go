package uscc

import (
	"cmp"
	"slices"
)

type authority struct {
	name       string
	categories map[byte]string
}

const other = "其他"

// authorities is the table of GB 32100-2015, section 4.
var authorities = map[byte]authority{
	'1': {"机构编制", map[byte]string{'1': "机关", '2': "事业单位", '3': "群众团体", '9': other}},
	'2': {"外交", map[byte]string{'1': "外国常驻新闻机构", '9': other}},
	'3': {"司法行政", map[byte]string{'1': "律师执业机构", '2': "公证处", '3': "基层法律服务所", '4': "司法鉴定机构", '5': "仲裁委员会", '9': other}},
	'4': {"文化", map[byte]string{'1': "外国在华文化中心", '9': other}},
	'5': {"民政", map[byte]string{'1': "社会团体", '2': "民办非企业单位", '3': "基金会", '9': other}},
	'6': {"旅游", map[byte]string{'1': "外国旅游部门常驻代表机构", '2': "港澳台地区旅游部门常驻内地（大陆）代表机构", '9': other}},
	'7': {"宗教", map[byte]string{'1': "宗教活动场所", '2': "宗教院校", '9': other}},
	'8': {"工会", map[byte]string{'1': "基层工会", '9': other}},
	'9': {"市场监督管理", map[byte]string{'1': "企业", '2': "个体工商户", '3': "农民专业合作社"}},
	'A': {"中央军委改革和编制办公室", map[byte]string{'1': "军队事业单位", '9': other}},
	'N': {"农业", map[byte]string{'1': "组级集体经济组织", '2': "村级集体经济组织", '3': "乡镇级集体经济组织", '9': other}},
	'Y': {other, map[byte]string{'1': other}},
}

// provinces are the first two digits of GB/T 2260, and 10 for the national registry. Only hints use them.
var provinces = map[string]bool{
	"10": true, "11": true, "12": true, "13": true, "14": true, "15": true, "21": true, "22": true, "23": true, "31": true,
	"32": true, "33": true, "34": true, "35": true, "36": true, "37": true, "41": true, "42": true, "43": true, "44": true,
	"45": true, "46": true, "50": true, "51": true, "52": true, "53": true, "54": true, "61": true, "62": true, "63": true,
	"64": true, "65": true, "71": true, "81": true, "82": true,
}

// Kind is a kind of organisation as the first two characters of a code tell it.
type Kind struct{ Code, Name string }

// Kinds are the kinds of organisation of the table, those the market regulation registers first. A name that another
// authority uses too carries its own.
func Kinds() []Kind {
	var out []Kind
	for a, x := range authorities {
		for c, name := range x.categories {
			if name == other {
				name = x.name + "（" + other + "）"
			}
			out = append(out, Kind{string([]byte{a, c}), name})
		}
	}
	slices.SortFunc(out, func(a, b Kind) int {
		return cmp.Or(market(b)-market(a), cmp.Compare(a.Code, b.Code))
	})
	return out
}

// market is 1 for what the market regulation registers.
func market(k Kind) int {
	if k.Code[0] == '9' {
		return 1
	}
	return 0
}
