// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Run boots a kernel, runs a program in it and returns when the guest is
// gone. An error means that the program's exit code is not known: something
// is missing here, or (a *GuestError) the guest died or ran out of time. Any
// number of runs may go on at a time; ctx ends one early.
func Run(ctx context.Context, o Options) (Result, error) {
	o, a, err := o.complete()
	if err != nil {
		return Result{}, err
	}
	q, err := findQEMU(a, o.QEMU)
	if err != nil {
		return Result{}, err
	}
	if err := q.checkSMP(ctx, o.CPUs); err != nil {
		return Result{}, err
	}
	tmp, err := os.MkdirTemp("", "vmtest-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(tmp)

	r := &run{Options: o, arch: a, qemu: q, tmp: tmp, marker: "vmtest-" + rand.Text()}
	if err := r.prepare(ctx); err != nil {
		return Result{}, err
	}
	return r.boot(ctx)
}

// run is one run on its way.
type run struct {
	Options
	arch      arch
	qemu      qemu
	tmp       string
	marker    string
	initramfs string
}

// boot starts QEMU and watches the guest until it is gone.
func (r *run) boot(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()

	var stderr bytes.Buffer
	back := newBackFiles(r.Dir, r.Back)
	defer back.close()
	var result Result
	start := time.Now()
	c := &console{marker: r.marker, out: r.Stdout, back: back.message, limit: maxLine}
	c.onLine = func(verb string) {
		switch verb {
		case verbReady:
			result.Boot = time.Since(start)
		case verbExit:
			time.AfterFunc(3*time.Second, cancel) // it should be gone by then
		}
	}
	cmd := exec.CommandContext(ctx, r.qemu.path, r.qemu.commandLine(r.arch, r.Options, filepath.Join(r.Kernel.Dir, "vmlinuz"), r.initramfs)...)
	cmd.Env = append(os.Environ(), r.qemu.env...)
	cmd.Stdout, cmd.Stderr = c, &stderr
	cmd.WaitDelay = time.Second
	err := runTied(cmd)
	err = errors.Join(c.Close(), back.close(), exitError(err))
	result.Total = time.Since(start)
	result.Exit, result.Notes = c.exit, c.notes
	fmt.Fprintf(r.Log, "vmtest: %s: booted in %.1fs, gone after %.1fs\n", r.Kernel, result.Boot.Seconds(), result.Total.Seconds())
	for _, note := range c.notes {
		fmt.Fprintf(r.Log, "vmtest: %s: the kernel says: %s\n", r.Kernel, note)
	}
	if c.exited && c.err == nil {
		return result, back.missing()
	}
	if c.err != nil {
		return result, c.err
	}
	return result, c.verdict(ctx, r, err, stderr.String())
}

// runTied runs a command that the kernel ends when we are gone, however we
// end. The kernel ties it to the thread, so the thread must stay.
func runTied(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return cmd.Run()
}

// exitError keeps errors other than an exit status, which says nothing here.
func exitError(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() < 0 {
		return nil
	}
	return err
}
