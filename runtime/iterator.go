// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/redsift/ingraind/runtime/internal/btfargs"
)

// visitEvery is how often an iterator visits what there is, unless the grain says otherwise.
const visitEvery = 10 * time.Second

// serveIterator finds the iterator and its arguments, which are those of a
// function that is there for nothing else.
func (k *Kernel) serveIterator(c *choice, args []string) error {
	prototype, err := btfargs.Function(k.Types, "bpf_iter_"+c.Target)
	if errors.Is(err, btf.ErrNotFound) {
		return fmt.Errorf("this kernel has no iterator %s", c.Target)
	}
	if err != nil {
		return err
	}
	c.binding, err = prototype.Words(args, false)
	return err
}

// iterator is a program that is run for every object of a kind, at once and
// then every so often, on a goroutine of its own.
type iterator struct {
	*link.Iter
	failed atomic.Uint64 // visits that did not come to their end
	stop   chan struct{}
	done   sync.WaitGroup
}

func attachIterator(program *ebpf.Program, every time.Duration) (*iterator, error) {
	attached, err := link.AttachIter(link.IterOptions{Program: program})
	if err != nil {
		return nil, err
	}
	if every == 0 {
		every = visitEvery
	}
	i := &iterator{Iter: attached, stop: make(chan struct{})}
	i.done.Go(func() {
		next := time.NewTicker(every)
		defer next.Stop()
		for {
			i.visit()
			select {
			case <-i.stop:
				return
			case <-next.C:
			}
		}
	})
	return i, nil
}

// visit runs the program for each object: that is what reading does.
func (i *iterator) visit() {
	reader, err := i.Open()
	if err == nil {
		_, err = io.Copy(io.Discard, reader)
		err = errors.Join(err, reader.Close())
	}
	if err != nil {
		i.failed.Add(1)
	}
}

// Close waits for the visit that is under way.
func (i *iterator) Close() error {
	close(i.stop)
	i.done.Wait()
	return i.Iter.Close()
}
