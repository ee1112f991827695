// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// rawConsole stops the terminal from turning \n into \r\n: the host gets the
// program's bytes as they are. Failing that they come with a \r.
func rawConsole() {
	t, err := unix.IoctlGetTermios(1, unix.TCGETS)
	if err != nil {
		return
	}
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO
	_ = unix.IoctlSetTermios(1, unix.TCSETS, t)
}

// drainConsole waits until the serial port has sent everything.
func drainConsole() { _ = unix.IoctlSetInt(1, unix.TCSBRK, 1) }

// loadModule loads one module; one that is there already is fine.
func loadModule(m moduleLoad) error {
	f, err := os.Open(m.File)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), m.Params, 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load module %s %s: %w", m.File, m.Params, err)
	}
	return os.Remove(m.File) // its memory is better used elsewhere
}

// loopbackUp brings lo up. The kernel then gives it 127.0.0.1 and ::1 itself.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	return nil
}
