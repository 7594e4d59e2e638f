package institution

// Object is the name of an institution in events, audit rows and file links.
const Object = "institution"

// Head is what every fact says about its institution, after the change.
type Head struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Status  Status `json:"status"`
	Version int64  `json:"version"`
}

// Opened is announced when an institution is registered.
type Opened struct{ Head }

// Edited is announced when its particulars change.
type Edited struct{ Head }

// Paused is announced when it is taken out of service.
type Paused struct {
	Head
	Reason string `json:"reason"`
}

// Resumed is announced when it is back.
type Resumed struct{ Head }

// Event names the fact.
func (f Opened) Event() (string, string, int64) { return "institution.opened", Object, f.ID }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "institution.edited", Object, f.ID }

// Event names the fact.
func (f Paused) Event() (string, string, int64) { return "institution.suspended", Object, f.ID }

// Event names the fact.
func (f Resumed) Event() (string, string, int64) { return "institution.resumed", Object, f.ID }

func (i *Institution) head() Head {
	return Head{ID: i.ID, Name: i.Name, Kind: i.Kind, Status: i.Status, Version: i.Version}
}

var labels = map[string]string{
	"institution.opened": "登记机构", "institution.edited": "修改信息", "institution.suspended": "暂停服务", "institution.resumed": "恢复服务",
}
