// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// keys names objects. The key of a batch is the same whenever it is asked for,
// and holds the batch's name, so that an object of that key is that batch.
type keys struct {
	prefix string // with its slash, or empty
	host   string
	flat   bool
}

func newKeys(s runtime.Settings) (keys, error) {
	k := keys{prefix: strings.Trim(s.Text("prefix"), "/")}
	if k.prefix != "" {
		k.prefix += "/"
	}
	switch s.Text("layout") {
	case "hive":
	case "flat":
		k.flat = true
	default:
		return k, fmt.Errorf("layout: %q is neither hive nor flat", s.Text("layout"))
	}
	host, err := os.Hostname()
	k.host = plain(host)
	return k, err
}

// of is the key of a batch, without extension.
func (k keys) of(b *runtime.Batch) string {
	at := b.First.UTC()
	if k.flat {
		return k.prefix + k.host + "_" + strconv.FormatInt(at.UnixNano(), 10) + "_" + b.Name
	}
	of := "grain=" + b.Grain
	if b.Event != "" {
		of += "/event=" + b.Event
	}
	return k.prefix + of + at.Format("/dt=2006-01-02/hour=15/") + k.host + "-" + b.Name
}

// plain is a host's name without what a key had better not hold.
func plain(host string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, host)
}
