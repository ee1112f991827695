// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// IsGuest tells whether this process is the init of a guest that Run booted.
// A program that wants to serve as one asks first thing, and calls Guest.
func IsGuest() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(jobFile)
	return err == nil
}

// Guest is the guest's init. It does its job, tells the host and takes the
// machine down; it does not return.
func Guest() {
	g := &guest{}
	if err := g.run(); err != nil {
		g.say(verbFail, err.Error())
	}
	g.down()
}

// guest is the state of init.
type guest struct{ job job }

// say writes a message to the host, which knows it by its marker even behind
// a line that the program did not end.
func (g *guest) say(verb, rest string) {
	fmt.Printf("%s %s %s\n", g.job.Marker, verb, oneLine(rest))
}

// run does the job.
func (g *guest) run() error {
	text, err := os.ReadFile(jobFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &g.job); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if err := mountAll(); err != nil {
		return err
	}
	rawConsole()
	if err := g.settle(); err != nil {
		return err
	}
	log, err := openKernelLog()
	if err != nil {
		return err
	}
	g.say(verbReady, "")
	code, err := runProgram(g.job)
	if err != nil {
		return err
	}
	for _, warning := range log.warnings() {
		g.say(verbNote, warning)
	}
	for i, file := range g.job.Back {
		if err := g.sendBack(i, file); err != nil {
			return err
		}
	}
	g.say(verbExit, fmt.Sprint(code))
	return nil
}

// settle makes the guest an ordinary machine: clock, name, limits, modules, lo.
func (g *guest) settle() error {
	// An emulated machine may lack a clock that its kernel can read.
	if host := time.Unix(g.job.Time, 0); time.Since(host).Abs() > time.Minute {
		now := unix.NsecToTimeval(host.UnixNano())
		if err := unix.Settimeofday(&now); err != nil {
			return fmt.Errorf("set the clock: %w", err)
		}
	}
	if err := unix.Sethostname([]byte("vmtest")); err != nil {
		return fmt.Errorf("set the host's name: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1024, Max: 1 << 20}); err != nil {
		return fmt.Errorf("raise RLIMIT_NOFILE: %w", err)
	}
	for _, m := range g.job.Modules {
		if err := loadModule(m); err != nil {
			return err
		}
	}
	return loopbackUp()
}

// down ends the guest: QEMU runs with -no-reboot, so a reboot ends it too.
func (g *guest) down() {
	drainConsole()
	unix.Sync()
	err := unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	g.say(verbFail, fmt.Sprintf("reboot: %v", err))
	for {
		time.Sleep(time.Hour) // an init that ends is a panic that hides the cause
	}
}
