package page

import (
	"bytes"
	"html/template"
	"io"
	"net/http"
)

// errorTemplate is the body of every error page.
const errorTemplate = `{{define "content"}}{{with .Data}}<div class="error-page">
<p class="error-icon">{{icon .Icon}}</p>
<h1>{{.Title}}</h1>
<p class="error-text">{{.Message}}</p>
<p class="actions">{{if eq .Status 401}}{{with $.Links.Login}}<a class="btn btn-primary" href="{{$.LoginURL}}">去登录</a>{{end}}{{end}}
<a class="btn{{if ne .Status 401}} btn-primary{{end}}" href="/">返回首页</a>
{{with $.Links.Help}}<a class="btn" href="{{.}}">查看帮助</a>{{end}}</p>
<p class="error-code">错误代码 {{.Status}}{{with .TraceID}} · 追踪号 <code>{{.}}</code>{{end}}{{with $.Site.Contact}} · 咨询电话 {{.}}{{end}}</p>
</div>{{end}}{{end}}`

// ErrorData is the page struct of the error page.
type ErrorData struct {
	Status  int
	Title   string
	Message string
	Icon    string
	TraceID string
}

// RenderError writes the error page for an HTTP status. message is the sentence for the person; empty takes the usual one
// of the status. traceID may be empty. It always writes a page: when even the layout cannot be rendered, a plain one
// without any template.
func (r *Renderer) RenderError(w io.Writer, view View, status int, message, traceID string) error {
	d := errorData(status)
	d.TraceID = traceID
	if message != "" {
		d.Message = message
	}
	view.Title = d.Title
	view.Breadcrumb = nil
	view.NoIndex = true
	var buf bytes.Buffer
	if err := r.Render(&buf, "error", view, d); err != nil {
		buf.Reset()
		writePlainError(&buf, d)
	}
	_, err := buf.WriteTo(w)
	return err
}

func errorData(status int) ErrorData {
	d := ErrorData{Status: status, Icon: "warning"}
	switch status {
	case http.StatusUnauthorized:
		d.Title, d.Message, d.Icon = "请先登录", "这个页面需要登录后查看，登录后会回到这里。", "user"
	case http.StatusForbidden:
		d.Title, d.Message, d.Icon = "您没有查看权限", "如需办理，请联系本企业管理员或平台工作人员开通权限。", "lock"
	case http.StatusNotFound:
		d.Title, d.Message, d.Icon = "没有找到这个页面", "它可能已下架、已移动，或者地址有误。您可以用上方搜索再找一找。", "search"
	case http.StatusMethodNotAllowed:
		d.Title, d.Message = "这个地址不支持此操作", "请返回上一页，重新打开后再试。"
	case http.StatusConflict:
		d.Title, d.Message = "内容已有变化", "您打开页面后，内容已被更新。请返回上一页刷新后再办理。"
	case http.StatusRequestEntityTooLarge:
		d.Title, d.Message, d.Icon = "文件太大", "请返回上一页，压缩文件或分开上传。", "upload"
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		d.Title, d.Message = "提交的内容有误", "请返回上一页，检查填写的内容后重新提交。"
	case http.StatusTooManyRequests:
		d.Title, d.Message, d.Icon = "操作过于频繁", "请稍等几分钟再试。", "clock"
	case http.StatusServiceUnavailable:
		d.Title, d.Message, d.Icon = "服务暂时不可用", "系统正在维护或依赖的服务中断，您的操作没有执行，请稍后再试。", "clock"
	default:
		d.Title, d.Message = "系统出现问题", "问题已记录。请稍后再试；如仍不能办理，请把追踪号告诉工作人员。"
		if status < 500 {
			d.Title, d.Message = "无法完成请求", "请返回上一页，重新打开后再试。"
		}
	}
	return d
}

// writePlainError depends on nothing that could be broken.
func writePlainError(buf *bytes.Buffer, d ErrorData) {
	esc := template.HTMLEscapeString
	buf.WriteString("<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>" + esc(d.Title) + "</title></head>\n" +
		"<body><h1>" + esc(d.Title) + "</h1><p>" + esc(d.Message) + "</p>")
	if d.TraceID != "" {
		buf.WriteString("<p>追踪号 " + esc(d.TraceID) + "</p>")
	}
	buf.WriteString("<p><a href=\"/\">返回首页</a></p></body></html>\n")
}
