// SPDX-License-Identifier: Apache-2.0

// Command vmtest fetches Debian's kernels and runs programs in them.
//
//	vmtest fetch -dir .cache/kernels 5.10 6.1 6.12
//	go test -exec "vmtest run -kernel .cache/kernels/6.12-amd64" ./pkg
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/redsift/ingraind/gen/vm"
)

func main() {
	if vm.IsGuest() {
		vm.Guest()
	}
	// go test sends SIGQUIT to a test that runs for too long. Whatever ends us
	// leaves no guest and no file behind.
	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGPIPE)
	code, err := vm.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vmtest:", err)
	}
	os.Exit(code)
}
