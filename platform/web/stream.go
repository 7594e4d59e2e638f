package web

import (
	"bytes"
	"net"

	"github.com/gofiber/fiber/v2"
)

// Stream answers the request with an endless body of the content type and hands the connection to begin, which must
// return at once: what writes to it goes on elsewhere, and closes it. The connection then belongs to nobody else: no time
// limit of a request holds, and nothing of the request is kept in memory, which is what lets a process hold many. Every
// write must be taken by the client within 30 s. The body has no length and no chunks; it ends with the connection.
func (s *Server) Stream(c *fiber.Ctx, contentType string, begin func(conn net.Conn)) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderCacheControl, "no-store, no-transform")
	c.Set("X-Accel-Buffering", "no") // nginx passes each message on as it comes
	h := &c.Response().Header
	h.SetContentLength(-2) // neither a length nor chunks
	head := bytes.Clone(h.Header())
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		if under, ok := conn.(interface{ UnsafeConn() net.Conn }); ok {
			conn = under.UnsafeConn() // without the buffers of the request
		}
		if _, err := conn.Write(head); err != nil {
			_ = conn.Close()
			return
		}
		begin(conn)
	})
	return nil
}
