// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// exitBroken is vmtest's exit code when the program's own is not known.
const exitBroken = 125

// usage is what vmtest says without arguments.
const usage = `usage: vmtest fetch [flags] KERNEL...    kernels: %s
       vmtest run   [flags] PROGRAM [ARG...]
       vmtest VERB -help
`

// Main is the command vmtest without os.Exit: it returns the exit code, which
// for run is the program's own, or 125 and an error.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	if len(args) == 0 {
		fmt.Fprintf(stderr, usage, strings.Join(Names(), " "))
		return 2, nil
	}
	switch args[0] {
	case "fetch":
		o, err := parseFetch(args[1:], stderr)
		if err != nil {
			return usageCode(err)
		}
		o.Log = stdout
		if _, err := Fetch(ctx, o); err != nil {
			return exitBroken, err
		}
		return 0, nil
	case "run":
		o, err := parseRun(args[1:], os.Environ(), stderr)
		if err != nil {
			return usageCode(err)
		}
		o.Stdout, o.Self = stdout, true
		result, err := Run(ctx, o)
		if err != nil {
			return exitBroken, err
		}
		return result.Exit, nil
	}
	fmt.Fprintf(stderr, usage, strings.Join(Names(), " "))
	return 2, fmt.Errorf("no verb is called %q", args[0])
}

// usageCode is what to exit with when arguments are wrong; asking for help is
// not wrong.
func usageCode(err error) (int, error) {
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	return 2, err
}

// parseFetch reads the arguments of `vmtest fetch`.
func parseFetch(args []string, stderr io.Writer) (FetchOptions, error) {
	var o FetchOptions
	flags := flag.NewFlagSet("vmtest fetch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.Dir, "dir", ".cache/kernels", "folder to put kernels in")
	flags.StringVar(&o.Arch, "arch", "amd64", "amd64 or arm64")
	flags.StringVar(&o.Mirror, "main-mirror", "", "Debian's archive (default: the one in apt's sources)")
	flags.StringVar(&o.Security, "security-mirror", "", "Debian's security archive (default: the one in apt's sources)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.Names = flags.Args()
	if len(o.Names) == 0 {
		return o, fmt.Errorf("which kernels? there are %s", strings.Join(Names(), " "))
	}
	return o, nil
}

// parseRun reads the arguments of `vmtest run`. environ is the caller's
// environment: the program gets what it is asked to pass, and INGRAIN_*.
func parseRun(args, environ []string, stderr io.Writer) (Options, error) {
	o := Options{Env: passed(environ)}
	var kernel, memory string
	var verbose bool
	flags := flag.NewFlagSet("vmtest run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&kernel, "kernel", "", "folder of the kernel, here or in a folder above")
	flags.IntVar(&o.CPUs, "smp", 1, "number of CPUs; more than 1 needs QEMU 10")
	flags.StringVar(&memory, "m", "", "memory, such as 512M or 2G (default 512M, more for large files)")
	flags.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "end the guest after this time")
	flags.StringVar(&o.QEMU, "qemu", "", "folder into which QEMU's Debian packages were unpacked")
	flags.StringVar(&o.Init, "init", "", "a vmtest built for the guest (default: itself, or built with go)")
	flags.BoolVar(&verbose, "v", false, "say how long the boot took")
	flags.Func("append", "more for the kernel's command line; may be repeated", func(s string) error {
		o.Append = append(o.Append, strings.Fields(s)...)
		return nil
	})
	flags.Func("mod", "modules to load, such as veth,dummy; may be repeated", func(s string) error {
		o.Modules = append(o.Modules, strings.Split(s, ",")...)
		return nil
	})
	flags.Func("env", "NAME=VALUE, or NAME to pass the caller's; INGRAIN_* always are; may be repeated", func(s string) error {
		o.Env = append(o.Env, lookEnv(s, environ)...)
		return nil
	})
	flags.Func("file", "HOST:GUEST, a file or folder to take along, libraries included; may be repeated", fileList(&o.Files))
	flags.Func("back", "HOST:GUEST, a file to bring back when the program has ended; may be repeated", fileList(&o.Back))
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if kernel == "" || flags.NArg() == 0 {
		return o, errors.New("run needs -kernel DIR and a program")
	}
	var err error
	if o.MemoryMiB, err = parseMemory(memory); err != nil {
		return o, err
	}
	o.Program, o.Args = flags.Arg(0), flags.Args()[1:]
	o.Back = append(o.Back, profiles(o.Args)...)
	if verbose {
		o.Log = stderr
	}
	o.Kernel, err = Open(kernel)
	return o, err
}
