// Command huiqi is the service desk and enterprise portal of a district: portal, H5, back office and interfaces in one
// program. `huiqi --help` lists its commands.
package main

import (
	"os"

	"github.com/huiqi/huiqi/server"
)

func main() { os.Exit(server.Main(os.Args[1:], os.Stdout, os.Stderr)) }
