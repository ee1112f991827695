// SPDX-License-Identifier: Apache-2.0

package vm

// guestDir is the folder of the guest that is ours.
const guestDir = "/.vmtest"

// jobFile holds the job, as JSON.
const jobFile = guestDir + "/job.json"

// job is what the host tells the guest's init to do.
type job struct {
	Marker  string       // starts each line that init writes to the host
	Program string       // what to run
	Args    []string     // its arguments, os.Args[0] included
	Env     []string     // its environment
	Dir     string       // the folder it starts in
	Modules []moduleLoad // in this order
	Back    []string     // files whose content goes to the host at the end
	Time    int64        // the host's clock, in seconds since 1970
}

// moduleLoad is one module to load.
type moduleLoad struct {
	File   string
	Params string
}

// Messages of init on the serial port: "MARKER VERB REST\n".
const (
	verbReady = "ready" // the program starts now
	verbExit  = "exit"  // REST is its exit code
	verbFail  = "fail"  // init could not do its job, REST says why
	verbNote  = "note"  // REST is a warning of the kernel
	verbFile  = "file"  // a file comes back, see backFiles
	verbData  = "data"
	verbEnd   = "end"
	verbNone  = "none"
)
