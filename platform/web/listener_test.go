package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// TestUnusedConnectionsDoNotHoldTheEnd: a browser opens connections in advance. One on which nothing was ever sent must not
// make the end of the server run into its deadline; one that was used is closed with it.
func TestUnusedConnectionsDoNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	s := server(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	for range 3 {
		silent, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	used, err := net.Dial("tcp", l.Addr().String()) // the server has accepted the silent ones when it answers here
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	fmt.Fprintf(used, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(used), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
