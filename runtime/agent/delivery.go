// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/redsift/ingraind/runtime"
)

// Settings that any sink takes: how rows get to it.
const (
	spoolSetting     = "spool"
	spoolMaxSetting  = "spool_max"
	spoolWhenSetting = "spool_when"
	fsyncSetting     = "fsync"
	onFullSetting    = "on_full"
	memorySetting    = "memory"
)

// noSpool is the folder of no spool.
const noSpool = "none"

// deliverySettings are the settings that any sink takes, with the defaults of
// one that has no other.
func deliverySettings() []runtime.Setting {
	return []runtime.Setting{
		{Name: spoolSetting, Default: noSpool, Help: "A folder: what the sink does not take is kept below it, in a folder named as the sink, also for the next start. none keeps nothing."},
		{Name: spoolMaxSetting, Default: "1GiB", Help: "How much the spool may hold."},
		{Name: spoolWhenSetting, Default: "trouble", Help: "What is spooled: trouble, what is there while the sink is down or slow; or always, each batch before it is shipped."},
		{Name: fsyncSetting, Default: "batch", Help: "When the disk is waited for: batch, for all that was there to be written, at once; always, for each batch; interval=1s; never."},
		{Name: onFullSetting, Default: "", Help: "What is lost when no more may wait: drop_oldest (default with a spool), drop_newest (default without), or block_stream, which makes the reader wait, for all sinks."},
		{Name: memorySetting, Default: "8MiB", Help: "How much may wait in memory."},
	}
}

// deliveryDefaults are those settings for one sink.
func (a Agent) deliveryDefaults(part *runtime.Part) runtime.Settings {
	settings := runtime.Settings{}
	for _, s := range deliverySettings() {
		settings[s.Name] = s.Default
	}
	if part.Spool != runtime.SpoolAsked {
		settings[spoolSetting] = a.spoolFolder()
	}
	if part.Spool == runtime.SpoolAlways {
		settings[spoolWhenSetting] = "always"
	}
	return settings
}

// spoolFolder is where sinks spool that do so unasked.
func (a Agent) spoolFolder() string { return filepath.Join("/var/lib", a.Name, "spool") }

// lane is how the sink is to be served, all but the sink itself.
func (c *chosenSink) lane() (runtime.LaneOptions, *runtime.SpoolOptions, error) {
	d := c.delivery
	lane := runtime.LaneOptions{Name: c.part.Name}
	var spool runtime.SpoolOptions
	var errs []error
	say := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	var err error
	lane.Limit, err = runtime.ParseBytes(d[memorySetting])
	if err == nil && lane.Limit == 0 {
		err = errors.New("want some memory, such as 1MiB")
	}
	say(memorySetting, err)
	lane.OnFull, err = runtime.ParseOnFull(d[onFullSetting])
	say(onFullSetting, err)
	spool.Max, err = runtime.ParseBytes(d[spoolMaxSetting])
	if err == nil && spool.Max < leastSpool {
		err = errors.New("want at least 1MiB")
	}
	say(spoolMaxSetting, err)
	spool.Sync, err = runtime.ParseSync(d[fsyncSetting])
	say(fsyncSetting, err)
	switch d[spoolWhenSetting] {
	case "always":
		spool.Always = true
	case "trouble":
	default:
		say(spoolWhenSetting, fmt.Errorf("%q is neither trouble nor always", d[spoolWhenSetting]))
	}
	if dir := d[spoolSetting]; dir == "" {
		say(spoolSetting, errors.New("want a folder, such as /var/lib/ingraind/spool, or none"))
	}
	if err := errors.Join(errs...); err != nil || d[spoolSetting] == noSpool {
		return lane, nil, err
	}
	spool.Dir = filepath.Join(d[spoolSetting], c.part.Name)
	return lane, &spool, nil
}

// leastSpool is the least that is worth a spool.
const leastSpool = 1 << 20
