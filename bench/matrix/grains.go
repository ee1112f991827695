// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/redsift/ingraind/examples/grains/generated/advise"
	"github.com/redsift/ingraind/examples/grains/generated/arrival"
	"github.com/redsift/ingraind/examples/grains/generated/ask"
	"github.com/redsift/ingraind/examples/grains/generated/calls"
	"github.com/redsift/ingraind/examples/grains/generated/census"
	"github.com/redsift/ingraind/examples/grains/generated/change"
	"github.com/redsift/ingraind/examples/grains/generated/created"
	"github.com/redsift/ingraind/examples/grains/generated/dial"
	"github.com/redsift/ingraind/examples/grains/generated/file_return"
	"github.com/redsift/ingraind/examples/grains/generated/functions"
	"github.com/redsift/ingraind/examples/grains/generated/knock"
	"github.com/redsift/ingraind/examples/grains/generated/lookups"
	"github.com/redsift/ingraind/examples/grains/generated/marks"
	"github.com/redsift/ingraind/examples/grains/generated/meet"
	"github.com/redsift/ingraind/examples/grains/generated/oncpu"
	"github.com/redsift/ingraind/examples/grains/generated/open"
	"github.com/redsift/ingraind/examples/grains/generated/overhear"
	"github.com/redsift/ingraind/examples/grains/generated/part"
	"github.com/redsift/ingraind/examples/grains/generated/permit"
	"github.com/redsift/ingraind/examples/grains/generated/points"
	"github.com/redsift/ingraind/examples/grains/generated/post"
	"github.com/redsift/ingraind/examples/grains/generated/queue"
	"github.com/redsift/ingraind/examples/grains/generated/receive"
	"github.com/redsift/ingraind/examples/grains/generated/refused"
	"github.com/redsift/ingraind/examples/grains/generated/remove"
	"github.com/redsift/ingraind/examples/grains/generated/request"
	"github.com/redsift/ingraind/examples/grains/generated/resolve"
	"github.com/redsift/ingraind/examples/grains/generated/shop"
	"github.com/redsift/ingraind/examples/grains/generated/shut"
	"github.com/redsift/ingraind/examples/grains/generated/traffic"
	"github.com/redsift/ingraind/examples/grains/generated/written"
	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/cpu"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/generated/file"
	"github.com/redsift/ingraind/generated/net"
	"github.com/redsift/ingraind/generated/priv"
	"github.com/redsift/ingraind/generated/syscall"
	"github.com/redsift/ingraind/runtime"
)

// stock are the stock grains, examples the others; a test sees that none is missing.
func stock() []*runtime.Grain {
	return []*runtime.Grain{
		conn.New(),
		cpu.New(),
		dns.New(),
		exec.New(),
		file.New(),
		net.New(),
		priv.New(),
		syscall.New(),
	}
}

func examples() []*runtime.Grain {
	return []*runtime.Grain{
		advise.New(),
		arrival.New(),
		ask.New(),
		calls.New(),
		census.New(),
		change.New(),
		created.New(),
		dial.New(),
		file_return.New(),
		functions.New(),
		knock.New(),
		lookups.New(),
		marks.New(),
		shop.New(),
		meet.New(),
		oncpu.New(),
		open.New(),
		overhear.New(),
		part.New(),
		permit.New(),
		points.New(),
		post.New(),
		queue.New(),
		receive.New(),
		refused.New(),
		remove.New(),
		request.New(),
		resolve.New(),
		shut.New(),
		traffic.New(),
		written.New(),
	}
}
