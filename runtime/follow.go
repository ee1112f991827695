// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// follows reports whether a choice is at interfaces, which come and go.
func (c *choice) follows() bool {
	switch c.Mechanism {
	case XDP, TCX, Clsact:
		return true
	case Socket:
		return len(c.on) > 0 // else one socket hears them all
	}
	return false
}

// follow attaches programs to interfaces that have come since, and lets go of
// those that are gone. It goes on after an error with the next one.
func (l *Loaded) follow() error {
	var errs []error
	for i := range l.plan.chosen {
		c := &l.plan.chosen[i]
		if !c.follows() {
			continue
		}
		all, err := interfaces()
		if err != nil {
			return err
		}
		errs = append(errs, l.followAt(c, matching(all, c.on)))
	}
	return errors.Join(errs...)
}

// followAt has the program of a choice at these interfaces and no others.
func (l *Loaded) followAt(c *choice, wanted []netInterface) error {
	var errs []error
	here := map[int]bool{}
	l.links = slices.DeleteFunc(l.links, func(a attachment) bool {
		at, ok := a.Closer.(atInterface)
		if !ok || a.choice != c {
			return false
		}
		stays := slices.ContainsFunc(wanted, func(i netInterface) bool { return i.index == at.index })
		if here[at.index] = stays; !stays {
			_ = a.Close() // it went with its interface, or with that's name
		}
		return !stays
	})
	for _, i := range wanted {
		if here[i.index] {
			continue
		}
		attached, err := c.attachInterface(l.collections[0].Programs[c.Programs[0]], i)
		switch {
		case errors.Is(err, unix.ENODEV): // gone again
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %s cannot run at interface %s: %w", l.plan.Grain.Name, l.plan.Grain.Probes[c.probe].Name, i.name, err))
		default:
			l.links = append(l.links, attachment{atInterface{attached, i.index}, c})
		}
	}
	return errors.Join(errs...)
}

// interfaceWatch hears of interfaces that come, go, or get another name.
type interfaceWatch struct {
	socket  *os.File
	changed chan struct{}
}

func watchInterfaces() (*interfaceWatch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	w := &interfaceWatch{os.NewFile(uintptr(fd), "interfaces"), make(chan struct{}, 1)}
	notify(w.changed) // for what came before anybody listened
	go w.run()
	return w, nil
}

// run says that something has changed, whatever it was: what was missed for
// want of memory is looked up as well.
func (w *interfaceWatch) run() {
	message := make([]byte, 1<<14)
	for {
		if _, err := w.socket.Read(message); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return // closed
		}
		notify(w.changed)
	}
}

// openFollowing begins to watch interfaces, where a grain is at some.
func (s *session) openFollowing() error {
	if !slices.ContainsFunc(s.loaded, func(l *Loaded) bool {
		return slices.ContainsFunc(l.plan.chosen, func(c choice) bool { return c.follows() })
	}) {
		return nil
	}
	var err error
	s.interfaces, err = watchInterfaces()
	return err
}

// follow follows the interfaces, when they have changed.
func (s *session) follow() {
	if s.interfaces == nil {
		return
	}
	select {
	case <-s.interfaces.changed:
	default:
		return
	}
	for _, l := range s.loaded {
		if err := l.follow(); err != nil {
			s.Log.Warn("an interface is not watched", "reason", err)
		}
	}
}
