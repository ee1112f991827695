// SPDX-License-Identifier: Apache-2.0

// Command naive is the agent that most would write by hand: bpf2go, a wakeup
// for each event, ringbuf.Reader.Read, binary.Read and encoding/json. It says
// what files are opened, with the fields of the grain open. Its object is made of bpf/naive.bpf.c, with clang, by
//
//	GOPACKAGE=main go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target bpfel -type event naive bpf/naive.bpf.c -- -O2 -I../../bpf/include
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// row is an event as it is printed.
type row struct {
	Time  time.Time `json:"time"`
	Who   who       `json:"who"`
	Path  string    `json:"path"`
	Flags int32     `json:"flags"`
	Dfd   int32     `json:"dfd"`
}

type who struct {
	Cgroup uint64 `json:"cgroup"`
	Comm   string `json:"comm"`
	PID    uint32 `json:"pid"`
	TID    uint32 `json:"tid"`
	PPID   uint32 `json:"ppid"`
	UID    uint32 `json:"uid"`
}

func main() {
	buffer := flag.Bool("buffer", false, "gather rows for a write, up to 100 ms")
	orphan := flag.Bool("orphan", false, "without the parent's pid, and so without looking at the kernel's types")
	flag.Parse()

	spec, err := loadNaive()
	if err != nil {
		log.Fatalf("read object: %v", err)
	}
	program, other := naiveProgOpenedParent, naiveProgOpened
	if *orphan {
		program, other = other, program
	}
	delete(spec.Programs, other)
	objects, err := ebpf.NewCollection(spec)
	if err != nil {
		log.Fatalf("load: %v", err)
	}
	attached, err := link.Tracepoint("syscalls", "sys_enter_openat", objects.Programs[program], nil)
	if err != nil {
		log.Fatalf("attach: %v", err)
	}
	reader, err := ringbuf.NewReader(objects.Maps[naiveMapEvents])
	if err != nil {
		log.Fatalf("open the ring: %v", err)
	}
	log.Print("watching")

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		attached.Close()
		reader.Flush()
	}()
	if *buffer {
		err = printBuffered(reader)
	} else {
		err = print(reader, os.Stdout)
	}
	if !errors.Is(err, ringbuf.ErrFlushed) {
		log.Fatal(err)
	}
}

// print writes rows until the reader fails, as it does when it is flushed.
func print(reader *ringbuf.Reader, w io.Writer) error {
	offset := clockOffset()
	encoder := json.NewEncoder(w)
	for {
		record, err := reader.Read()
		if err != nil {
			return err
		}
		var event naiveEvent
		if err := binary.Read(bytes.NewReader(record.RawSample), binary.LittleEndian, &event); err != nil {
			return err
		}
		err = encoder.Encode(row{
			Time: time.Unix(0, int64(event.Time)+offset).UTC(),
			Who: who{
				Cgroup: event.Cgroup,
				Comm:   unix.ByteSliceToString(event.Comm[:]),
				PID:    event.Pid,
				TID:    event.Tid,
				PPID:   event.Ppid,
				UID:    event.Uid,
			},
			Path:  unix.ByteSliceToString(event.Filename[:]),
			Flags: event.Flags,
			Dfd:   event.Dfd,
		})
		if err != nil {
			return err
		}
	}
}

// printBuffered is print for those who noticed that it writes each row by
// itself: what came in 100 ms goes out together.
func printBuffered(reader *ringbuf.Reader) error {
	w := bufio.NewWriterSize(os.Stdout, 64<<10)
	for {
		reader.SetDeadline(time.Now().Add(100 * time.Millisecond))
		err := print(reader, &untilDeadline{w: w, end: time.Now().Add(100 * time.Millisecond)})
		if flushed := w.Flush(); flushed != nil {
			return flushed
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// untilDeadline flushes when a row comes after its time.
type untilDeadline struct {
	w   *bufio.Writer
	end time.Time
}

func (u *untilDeadline) Write(b []byte) (int, error) {
	n, err := u.w.Write(b)
	if err == nil && time.Now().After(u.end) {
		u.end = time.Now().Add(100 * time.Millisecond)
		err = u.w.Flush()
	}
	return n, err
}

// clockOffset is the wall clock less CLOCK_MONOTONIC, ns.
func clockOffset() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Now().UnixNano() - now.Nano()
}
