// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// keyring is where Debian's own keys lie.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mirrors are the addresses of Debian's two archives.
type mirrors struct{ main, security string }

// inRelease matches a line of `apt-get update --print-uris`.
var inRelease = regexp.MustCompile(`^'(.+?)/?/dists/([a-z]+)(-updates|-backports|-security|/updates)?/InRelease' `)

// debianSuites are the suites by which Debian's archives are told from others.
var debianSuites = map[string]bool{
	"buster": true, "bullseye": true, "bookworm": true, "trixie": true, "forky": true, "duke": true, "sid": true,
	"oldoldstable": true, "oldstable": true, "stable": true, "testing": true, "unstable": true,
}

// parseMirrors picks Debian's archives out of `apt-get update --print-uris`.
func parseMirrors(uris string) mirrors {
	var m mirrors
	for line := range strings.Lines(uris) {
		match := inRelease.FindStringSubmatch(line)
		if match == nil || !debianSuites[match[2]] {
			continue
		}
		switch match[3] {
		case "-security", "/updates":
			m.security = match[1]
		default:
			m.main = match[1]
		}
	}
	return m
}

// machineMirrors asks the machine's own apt which mirrors it uses.
func machineMirrors(ctx context.Context) (mirrors, error) {
	uris, err := output(command(ctx, nil, "apt-get", "update", "--print-uris"))
	if err != nil {
		return mirrors{}, err
	}
	return parseMirrors(uris), nil
}

// apt is an apt of our own below a folder: other suites and architectures
// than the machine's, whose state is neither read nor changed. Signatures are
// checked as ever. It needs no root.
type apt struct {
	dir  string
	arch string
}

// newAPT prepares a configuration for these suites and fetches their indexes.
func newAPT(ctx context.Context, dir, arch string, m mirrors, suites []string) (*apt, error) {
	a := &apt{dir: dir, arch: arch}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	sources, err := sourcesList(m, suites)
	if err != nil {
		return nil, err
	}
	proxies, err := output(command(ctx, nil, "apt-config", "dump", "Acquire"))
	if err != nil {
		return nil, err
	}
	// The configuration may repeat a proxy's password: nobody else reads it.
	files := map[string]string{"sources.list": sources, "status": "", "apt.conf": a.config(proxies)}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	_, err = a.get(ctx, "apt-get", "-q", "update", "--error-on=any")
	return a, err
}

// sourcesList is the sources.list of these suites.
func sourcesList(m mirrors, suites []string) (string, error) {
	var text strings.Builder
	for _, suite := range suites {
		uri, kind := m.main, "main"
		if isSecurity(suite) {
			uri, kind = m.security, "security"
		}
		if uri == "" {
			return "", fmt.Errorf("the machine's apt sources name no Debian %s archive; give one with -%s-mirror", kind, kind)
		}
		fmt.Fprintf(&text, "deb [signed-by=%s] %s %s main\n", keyring, uri, suite)
	}
	return text.String(), nil
}

// acquire matches the settings of the machine's apt that say how to reach a
// mirror: proxies, time-outs, certificates.
var acquire = regexp.MustCompile(`(?m)^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6)\b.*;$`)

// config is the apt.conf. Dir::Etc::parts is emptied because the machine's
// own parts may ask for indexes of 20 MB that nobody here reads.
func (a *apt) config(acquireDump string) string {
	text := strings.ReplaceAll(`Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "DIR/lists";
Dir::State::status "DIR/status";
Dir::Cache "DIR/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
`, "DIR", a.dir)
	text += fmt.Sprintf("APT::Architecture %q;\nAPT::Architectures { %q; };\n", a.arch, a.arch)
	return text + strings.Join(acquire.FindAllString(acquireDump, -1), "\n") + "\n"
}

// get runs one of apt's programs with this configuration.
func (a *apt) get(ctx context.Context, name string, args ...string) (string, error) {
	cmd := command(ctx, []string{"APT_CONFIG=" + filepath.Join(a.dir, "apt.conf")}, name, args...)
	cmd.Dir = a.dir
	return output(cmd)
}
