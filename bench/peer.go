// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// peerSuite is the release of Debian whose bpftrace the agent is measured
// against, whatever this machine runs.
const peerSuite = "trixie"

// peer is bpftrace with the libraries it was built for, in a folder that is its
// root. Nothing of it is installed.
type peer struct {
	root    string
	version string // "bpftrace v0.23.2"
}

// errNoPeers says that a run is not to fetch anything.
var errNoPeers = errors.New("this run was not asked for peers that are fetched: -peers")

// bpftrace fetches it into the tree's .cache when it is not there. Its error is
// for a reader of the table.
func (b *bench) bpftrace() (*peer, error) {
	if !b.peers {
		return nil, errNoPeers
	}
	return b.fetched()
}

// fetchPeer unpacks bpftrace below dir, once.
func fetchPeer(dir string) (*peer, error) {
	p := &peer{root: filepath.Join(dir, "root")}
	if _, err := os.Stat(p.root); err != nil {
		if err := unpackPeer(dir); err != nil {
			return nil, fmt.Errorf("fetch bpftrace: %w", err)
		}
	}
	c := p.contender("bpftrace", "--version")
	version, err := output(exec.Command(c.program, c.args...))
	if p.version = strings.TrimSpace(version); err == nil {
		fmt.Fprintf(os.Stderr, "measuring against %s of Debian %s\n", p.version, peerSuite)
	}
	return p, err
}

// unpackPeer makes the folder root in dir, whole or not at all. The packages
// are apt's, with their signatures checked; dash is there because bpftrace asks
// a shell whether there is a clang.
func unpackPeer(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	conf, err := aptFolder(dir)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-q", "update", "--error-on=any"},
		{"-q", "-y", "--download-only", "--no-install-recommends", "install", "bpftrace", "dash"},
	} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "APT_CONFIG="+conf)
		if _, err := output(cmd); err != nil {
			return err
		}
	}
	archives := filepath.Join(dir, "cache", "archives")
	packages, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil {
		return err
	}
	part := filepath.Join(dir, "part")
	for _, name := range []string{"proc", "sys", "dev", "tmp", "usr/bin", "usr/lib", "usr/lib64"} {
		if err := os.MkdirAll(filepath.Join(part, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(part, name)); err != nil {
			return err
		}
	}
	for _, file := range packages {
		if _, err := output(exec.Command("dpkg-deb", "-x", file, part)); err != nil {
			return err
		}
	}
	if err := os.Symlink("dash", filepath.Join(part, "usr/bin/sh")); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for _, name := range []string{"lists", "cache"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return os.Rename(part, filepath.Join(dir, "root"))
}

// aptFolder prepares an apt whose state lies in dir and that reads nothing of
// the machine's but how to reach a mirror, and returns its configuration.
func aptFolder(dir string) (string, error) {
	mirror, err := debianMirror()
	if err != nil {
		return "", err
	}
	arch, err := output(exec.Command("dpkg", "--print-architecture"))
	if err != nil {
		return "", err
	}
	acquire, err := output(exec.Command("apt-config", "dump", "Acquire"))
	if err != nil {
		return "", err
	}
	config := strings.NewReplacer("DIR", dir, "ARCH", strings.TrimSpace(arch)).Replace(`Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "DIR/lists";
Dir::State::status "DIR/status";
Dir::Cache "DIR/cache";
APT::Architecture "ARCH";
APT::Architectures { "ARCH"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
`)
	for line := range strings.Lines(acquire) {
		if strings.HasPrefix(line, "Acquire::http") && strings.HasSuffix(line, ";\n") {
			config += line
		}
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", err
		}
	}
	// The configuration may repeat a proxy's password: nobody else reads it.
	for name, text := range map[string]string{
		"sources.list": fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", mirror, peerSuite),
		"status":       "",
		"apt.conf":     config,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "apt.conf"), nil
}

// debianMirror is where the machine's own apt has Debian's main archive from.
func debianMirror() (string, error) {
	uris, err := output(exec.Command("apt-get", "update", "--print-uris"))
	if err != nil {
		return "", err
	}
	if mirror := mainArchive(uris); mirror != "" {
		return mirror, nil
	}
	return "", errors.New("the machine's apt sources name no mirror of Debian")
}

// release matches the line of `apt-get update --print-uris` for one of Debian's
// releases, not for its updates or another's archive.
var release = regexp.MustCompile(`(?m)^'(.+?)/?/dists/(bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)/InRelease' `)

// mainArchive picks Debian's main archive out of those lines, or nothing.
func mainArchive(uris string) string {
	if found := release.FindStringSubmatch(uris); found != nil {
		return found[1]
	}
	return ""
}

// inside mounts what bpftrace looks at below its root, seen by nobody else, and
// becomes it.
const inside = `root=$1; shift
for d in proc sys dev; do mount --rbind /$d "$root/$d" || exit; done
exec chroot "$root" /usr/bin/bpftrace "$@"`

// contender is bpftrace with these arguments.
func (p *peer) contender(name string, args ...string) contender {
	return contender{name: name, program: "unshare", args: append([]string{"-m", "sh", "-c", inside, "sh", p.root}, args...), says: true}
}

// said makes a program of bpftrace say once that it is attached: probes are
// attached in order.
const said = ` interval:ms:20 /@wait == 0/ { printf("` + ready + `\n"); @wait = 1 } END { clear(@wait) }`
