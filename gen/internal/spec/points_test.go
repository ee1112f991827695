// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"strings"
	"testing"
)

func TestEachKindHasAShape(t *testing.T) {
	if got, want := len(kindNames), len(shapes); got != want {
		t.Errorf("got %d kind names for %d shapes", got, want)
	}
	for _, name := range kindNames {
		if _, ok := shapes[Kind(strings.TrimSuffix(name, "/"))]; !ok {
			t.Errorf("%s: got no shape, want one", name)
		}
	}
}

func TestPointIsTakenApart(t *testing.T) {
	for _, c := range []struct {
		text string
		want Point
	}{
		{"tracepoint/9p/9p_client_req", Point{Kind: Tracepoint, Category: "9p", Target: "9p_client_req"}},
		{"tracepoint/intel-sst/sst_ipc", Point{Kind: Tracepoint, Category: "intel-sst", Target: "sst_ipc"}},
		{"syscall/_llseek", Point{Kind: Syscall, Target: "_llseek"}},
		{"entry/__sys_connect", Point{Kind: Entry, Target: "__sys_connect"}},
		{"kprobe/do_exit.cold", Point{Kind: Kprobe, Target: "do_exit.cold"}},
		{"kprobe/__x64_sys_openat", Point{Kind: Kprobe, Target: "__x64_sys_openat"}},
		{"uprobe//usr/lib/x86_64-linux-gnu/libstdc++.so.6:_Znwm", Point{Kind: Uprobe, Binary: "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", Target: "_Znwm"}},
		{"uprobe/bash:readline", Point{Kind: Uprobe, Binary: "bash", Target: "readline"}},
		{"uprobe/libssl.so.3:SSL_read*,SSL_write", Point{Kind: Uprobe, Binary: "libssl.so.3", Target: "SSL_read*,SSL_write"}},
		{"usdt/libc.so.6:libc:setjmp", Point{Kind: USDT, Binary: "libc.so.6", Target: "libc:setjmp"}},
		{"usdt//usr/bin/python3.11:python:function__entry", Point{Kind: USDT, Binary: "/usr/bin/python3.11", Target: "python:function__entry"}},
		{"cgroup_skb/egress", Point{Kind: CgroupSKB, Target: "egress"}},
		{"cgroup/connect4", Point{Kind: Cgroup, Target: "connect4"}},
		{"xdp", Point{Kind: XDP}},
		{"iter/task_file", Point{Kind: Iter, Target: "task_file"}},
		{"lsm/file_open", Point{Kind: LSM, Target: "file_open"}},
		{"tcx/ingress", Point{Kind: TCX, Target: "ingress"}},
	} {
		got, err := parsePoint(c.text)
		if err != nil {
			t.Errorf("%s: got error %v, want none", c.text, err)
			continue
		}
		if *got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.text, *got, c.want)
		}
	}
}

func TestEachKindOfTheDesignIsKnown(t *testing.T) {
	for _, text := range []string{
		"lsm/file_open", "fmod_ret/x", "usdt/libc.so.6:libc:setjmp", "xdp", "tcx/ingress", "tcx/egress", "cgroup_skb/egress",
		"cgroup/connect4", "sockops", "sk_lookup", "socket", "perf_event/cpu-clock", "iter/task", "entry/tcp_*", "uprobe/bash:read*",
	} {
		if _, err := parsePoint(text); err != nil {
			t.Errorf("%s: got error %v, want none", text, err)
		}
	}
}

func TestPointOfAWrongShapeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "/", "entry", "entry/", "entry/a/b", "entry/a b", "entry/2a", "entry/a;b", "entry/é",
		"tracepoint/", "tracepoint/a", "tracepoint/a/", "tracepoint//b", "tracepoint/a/b/c", "raw_tp/a/b", "tp_btf/a-b",
		"syscall/sys_openat", "syscall_return/__arm64_sys_openat", "syscall/Open",
		"uprobe/", "uprobe/:", "uprobe/bash", "uprobe/bash:", "uprobe/:readline", "uprobe//:readline", "uprobe/./bash:readline",
		"uprobe/a:", "uprobe/a:b,", "uprobe/a:,b", "uprobe/a:b,*", "uretprobe/a:_*", "uprobe/a:b c",
		"usdt", "usdt/", "usdt/a", "usdt/a:b", "usdt/a:b:", "usdt/a::c", "usdt/:b:c", "usdt/a:b:c:d", "usdt/a/b:c:d", "usdt//a/:b:c", "usdt/a:b:c*",
		"uprobe/..:readline", "uprobe//usr//bash:readline", "uprobe//usr/bash/:readline", "uprobe/bash:readline+4", "uprobe/a b:c", "uprobe/bash:a:b",
		"Entry/f", " entry/f", "entry /f",
		"cgroup_skb", "cgroup_skb/", "cgroup_skb/in", "cgroup/connect", "cgroup/connect4/x", "xdp/", "xdp/eth0", "tcx", "socket/x",
		"sockops/", "perf_event", "perf_event/cpu", "iter", "iter/", "iter/all", "lsm", "lsm/", "lsm/a.b", "fmod_ret/",
	} {
		if got, err := parsePoint(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, *got)
		}
	}
}
