package text_test

import (
	"testing"

	"github.com/huiqi/huiqi/platform/text"
)

func TestInitials(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"劳动用工": "ldyg", "供电故障": "gdgz", "阿座": "az", "八匝": "bz", "税务 Tax 12366": "swtax12366", "噪声扰民": "zsrm", "惠企政策咨询": "hqzczx", "𠮷堃": "", "": "", "投诉·建议": "tsjy",
	} {
		if got := text.Initials(word); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}
