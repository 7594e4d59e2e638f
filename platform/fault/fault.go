// Package fault is the one error type that crosses layers: a Kind the edge maps to a status, a stable Code a client may
// switch on, a Message written in Chinese for the person who sees it, and the wrapped cause for the log only.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure a Fault is. Kinds are append-only: clients and logs hold their names.
type Kind string

// The kinds and the HTTP status the web package gives each.
const (
	Invalid      Kind = "invalid"      // 422: the input is wrong; the person can mend it
	Unauthorized Kind = "unauthorized" // 401: nobody is signed in, or the session ended
	Forbidden    Kind = "forbidden"    // 403: signed in, but this is not theirs to do
	NotFound     Kind = "not_found"    // 404: missing, or not visible to the asker
	Conflict     Kind = "conflict"     // 409: something changed meanwhile, or the state does not allow it
	TooMany      Kind = "too_many"     // 429: a limit was reached; try later
	TooLarge     Kind = "too_large"    // 413: the body or file exceeds its limit
	Unavailable  Kind = "unavailable"  // 503: something we depend on is down; nothing was done
	Internal     Kind = "internal"     // 500: our mistake; the message shown is generic
	BadRequest   Kind = "bad_request"  // 400: the request cannot be read at all
	BadMethod    Kind = "bad_method"   // 405
	BadMedia     Kind = "bad_media"    // 415
	BadRange     Kind = "bad_range"    // 416
	BadHeader    Kind = "bad_header"   // 431
	BadAddress   Kind = "bad_address"  // 414
)

// Field names one input that is wrong and says what to do about it.
type Field struct {
	Name    string `json:"field"`
	Message string `json:"message"`
}

// Fault is an error with a kind, a stable code and a message for a person.
type Fault struct {
	Kind    Kind
	Code    string // stable, upper snake case: "CODE_EXPIRED"
	Message string // Chinese; says what is wrong and what to do
	Fields  []Field
	// RetryAfter is the number of seconds after which trying again makes sense; 0 when unknown.
	RetryAfter int
	Err        error // cause, for the log; never shown
}

// Error returns the code and message with the cause, for logs.
func (f *Fault) Error() string {
	if f.Err != nil {
		return fmt.Sprintf("%s: %s: %v", f.Code, f.Message, f.Err)
	}
	return f.Code + ": " + f.Message
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Is reports whether target is a Fault with the same code, so that sentinels keep their identity through With and Wrap.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

// New makes a fault. Code must be unique to its meaning; message is Chinese.
func New(kind Kind, code, message string) *Fault {
	return &Fault{Kind: kind, Code: code, Message: message}
}

// Wrap returns a copy of f that carries cause for the log.
func (f *Fault) Wrap(cause error) *Fault {
	c := *f
	c.Err = cause
	return &c
}

// With returns a copy of f whose message is replaced.
func (f *Fault) With(format string, args ...any) *Fault {
	c := *f
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// On returns a copy of f that points at one input field, with the fault's own message.
func (f *Fault) On(field string) *Fault {
	c := *f
	c.Fields = append(append([]Field(nil), f.Fields...), Field{Name: field, Message: f.Message})
	return &c
}

// After returns a copy of f that says when trying again makes sense.
func (f *Fault) After(seconds int) *Fault {
	c := *f
	c.RetryAfter = seconds
	return &c
}

// InvalidField is the common case of one wrong input.
func InvalidField(field, code, message string) *Fault {
	return New(Invalid, code, message).On(field)
}

// KindOf returns the kind of the first Fault in err's chain, Internal when there is none, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var f *Fault
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// As returns the first Fault in err's chain.
func As(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// Merge makes one fault of several, with a field for each wrong input, so that a person is told everything at once. Its code
// and message are those of the first. It returns nil when all are nil, and the first error that is no Fault as it is.
func Merge(errs ...error) error {
	var all *Fault
	for _, err := range errs {
		f, ok := As(err)
		switch {
		case err == nil:
		case !ok:
			return err
		case all == nil:
			c := *f
			all = &c
		default:
			all.Fields = append(append([]Field(nil), all.Fields...), f.Fields...)
		}
	}
	if all == nil {
		return nil
	}
	return all
}

// The faults every module shares.
var (
	ErrNotFound     = New(NotFound, "NOT_FOUND", "没有找到您要的内容，可能已被删除，或您没有查看权限")
	ErrForbidden    = New(Forbidden, "FORBIDDEN", "您没有办理此事项的权限，如有需要请联系本单位管理员")
	ErrUnauthorized = New(Unauthorized, "SIGN_IN_REQUIRED", "请先登录后再继续")
	ErrChanged      = New(Conflict, "CHANGED", "内容已被他人更新，请刷新后重试")
	ErrUnavailable  = New(Unavailable, "UNAVAILABLE", "服务暂时不可用，您的操作没有保存，请稍后重试")
	ErrInternal     = New(Internal, "INTERNAL", "系统出现问题，您的操作没有保存，请稍后重试或联系客服")
)
