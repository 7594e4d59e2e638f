package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type areasOutput struct {
	Body struct {
		Items []Area `json:"items"`
	}
}

type locateInput struct {
	Target
	Body struct {
		Area string `json:"area" maxLength:"20" doc:"Code of the street or town; empty is unknown."`
		Seen string `json:"seen" maxLength:"20" doc:"The one that was seen; another one meanwhile is a conflict."`
	}
}

// registerAreas adds the streets and towns of tickets.
func registerAreas(api huma.API, s *Service) {
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/ticket-areas", Summary: "工单所在的街道乡镇", Tag: tag, Access: access.Only(access.Enterprise, access.Platform, access.Government),
	}.Huma(), func(ctx context.Context, _ *struct{}) (*areasOutput, error) {
		items, err := s.Areas(ctx, access.From(ctx))
		out := &areasOutput{}
		out.Body.Items = items
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/tickets/{id}/locate", Summary: "标注街道乡镇", Tag: tag, Access: access.Require(PermNote),
	}.Huma(), func(ctx context.Context, in *locateInput) (*ticketOutput, error) {
		return output(s.Locate(ctx, access.From(ctx), LocateTicket{ID: in.ID, Key: in.Key, Area: in.Body.Area, Seen: in.Body.Seen}))
	})
}
