// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"
)

func TestTheMirrorIsThatOfDebiansMainArchive(t *testing.T) {
	const uris = `'http://s.example/debian-security/dists/bookworm-security/InRelease' s_InRelease 0 
'http://d.example/debian/dists/bookworm-updates/InRelease' u_InRelease 0 
'http://tool.example/apt/dists/any/InRelease' t_InRelease 0 
'http://d.example/debian/dists/bookworm/InRelease' m_InRelease 0 
`
	if got, want := mainArchive(uris), "http://d.example/debian"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := mainArchive("'http://u.example/ubuntu/dists/noble/InRelease' x 0 \n"); got != "" {
		t.Errorf("got %q of a machine that has no Debian, want nothing", got)
	}
}

func TestRunsThatDoNotAskForPeersFetchNone(t *testing.T) {
	b := &bench{fetched: func() (*peer, error) {
		t.Error("got a fetch, want none")
		return nil, nil
	}}
	if _, err := b.bpftrace(); !errors.Is(err, errNoPeers) {
		t.Errorf("got %v, want %v", err, errNoPeers)
	}
}

func TestARowWithoutItsPeerSaysWhyAndHasNoVerdict(t *testing.T) {
	r := without(compared("x", "ns", 3, 0, 0.5), errors.New("no mirror\nand more"))
	cells := strings.Join(r.cells(), " ")
	if want := "x 3.00 - ns - - - peer not available: no mirror"; !strings.HasPrefix(cells, "x 3") || r.verdict() != "-" || !strings.HasSuffix(cells, "- - - peer not available: no mirror") {
		t.Errorf("got %q, want %q", cells, want)
	}
}
