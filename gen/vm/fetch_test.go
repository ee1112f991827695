// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMirrorsAreTheMachinesOwn(t *testing.T) {
	for _, test := range []struct {
		name, uris string
		want       mirrors
	}{
		{"debian 12", `'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0 
'http://mirror.example/debian/dists/bookworm-updates/InRelease' x 0 
'https://sec.example/debian-security/dists/bookworm-security/InRelease' x 0 
'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' x 0 
`, mirrors{"http://mirror.example/debian", "https://sec.example/debian-security"}},
		{"debian 10 and a trailing slash", "'http://m.example/debian//dists/buster/InRelease' x 0 \n'http://s.example/dists/buster/updates/InRelease' x 0 \n", mirrors{"http://m.example/debian", "http://s.example"}},
		{"others' archives do not count", "'https://deb.example/node_20.x/dists/nodistro/InRelease' x 0 \n'https://p.example/apt/dists/tool-bookworm/InRelease' x 0 \n", mirrors{}},
		{"nothing", "", mirrors{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := parseMirrors(test.uris); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSourcesNeedBothArchives(t *testing.T) {
	got, err := sourcesList(mirrors{"http://m", "http://s"}, []string{"bookworm-security", "trixie-backports"})
	want := "deb [signed-by=" + keyring + "] http://s bookworm-security main\ndeb [signed-by=" + keyring + "] http://m trixie-backports main\n"
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	_, err = sourcesList(mirrors{main: "http://m"}, []string{"bookworm-security"})
	if want := "the machine's apt sources name no Debian security archive; give one with -security-mirror"; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAptKeepsTheMachinesProxyAndNothingElse(t *testing.T) {
	dump := `Acquire "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CaInfo "/etc/ca.pem";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::MetaKey "x";
Acquire::Languages:: "de";
`
	a := &apt{dir: "/tmp/x", arch: "arm64"}
	got := a.config(dump)
	for _, want := range []string{
		`Acquire::http::Proxy "http://proxy.example:3128";`, `Acquire::https::CaInfo "/etc/ca.pem";`, `Acquire::Retries "3";`,
		`Dir::State::lists "/tmp/x/lists";`, `APT::Architectures { "arm64"; };`, `Acquire::Languages "none";`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("the configuration lacks %s:\n%s", want, got)
		}
	}
	for _, not := range []string{"IndexTargets", `"de"`, "AllowUnauthenticated", "AllowInsecure"} {
		if strings.Contains(got, not) {
			t.Errorf("the configuration has %s:\n%s", not, got)
		}
	}
}

func TestNewestIsByNumberNotByLetter(t *testing.T) {
	got := newestFirst("linux-image-7.*-cloud-amd64", []string{
		"linux-image-7.2.9+deb13-cloud-amd64", "linux-image-7.2.12+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64",
		"linux-image-7.10.1+deb13-cloud-amd64", "linux-image-7.3.4+deb13-amd64", "linux-image-7.3.4+deb13-cloud-amd64-unsigned",
	})
	want := []string{
		"linux-image-7.10.1+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64",
		"linux-image-7.2.12+deb13-cloud-amd64", "linux-image-7.2.9+deb13-cloud-amd64",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPartsOfAKernelAreFoundInDepends(t *testing.T) {
	depends := "dracut | initramfs-tools (>= 0.120+deb8u2), kmod, linux-base (>= 4.3~), linux-base-cloud-amd64 (= 7.3.4-1), " +
		"linux-binary-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1), linux-modules-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1)"
	var got []string
	for _, match := range kernelDep.FindAllStringSubmatch(depends, -1) {
		got = append(got, debPackage{match[1], match[2]}.String())
	}
	want := []string{"linux-binary-7.3.4+deb13-cloud-amd64=7.3.4-1~bpo13+1", "linux-modules-7.3.4+deb13-cloud-amd64=7.3.4-1~bpo13+1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBothPackageLayoutsFindTheirPlace(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"./boot/vmlinuz-6.1.0-56-cloud-amd64", "vmlinuz"},
		{"./boot/config-6.1.0-56-cloud-amd64", "config"},
		{"./boot/System.map-6.1.0-56-cloud-amd64", ""},
		{"./lib/modules/6.1.0-56-cloud-amd64/modules.builtin", "modules/modules.builtin"},
		{"./lib/modules/6.1.0-56-cloud-amd64/kernel/net/ipv4/tcp_diag.ko", "modules/kernel/net/ipv4/tcp_diag.ko"},
		{"usr/lib/modules/7.3.4+deb13-cloud-amd64/vmlinuz", "vmlinuz"},
		{"usr/lib/modules/7.3.4+deb13-cloud-amd64/config", "config"},
		{"usr/lib/modules/7.3.4+deb13-cloud-amd64/kernel/drivers/net/veth.ko.xz", "modules/kernel/drivers/net/veth.ko.xz"},
		{"usr/lib/modules/7.3.4+deb13-cloud-amd64/kernel/drivers/net/ethernet/intel/e1000.ko.xz", ""},
		{"usr/lib/modules/7.3.4+deb13-cloud-amd64/kernel/drivers/comedi/comedi.ko.xz", ""},
		{"usr/share/doc/linux-image/copyright", ""},
		{"../../etc/passwd", ""},
	} {
		if got := placeOf(test.file); got != test.want {
			t.Errorf("%s goes to %q, want %q", test.file, got, test.want)
		}
	}
}

func TestEveryReleaseHasASuite(t *testing.T) {
	for _, r := range releases {
		if len(r.suites) == 0 || strings.Count(r.pkg, "%s") != 1 || strings.Count(r.pkg, "*") > 1 {
			t.Errorf("the line of %q in the table is not complete: %+v", r.name, r)
		}
	}
}
