// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const mostPaths = 16 // of a param: struct ingrain_paths of bpf/include/below.h

// ParsePaths reads paths of folders with commas between: "/etc,/srv/data".
func ParsePaths(text string) ([]string, error) {
	var paths []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !path.IsAbs(name) {
			return nil, fmt.Errorf("%q is not the path of a folder; write it from the root on, several with commas between: /etc,/srv/data", name)
		}
		paths = append(paths, path.Clean(name))
	}
	if len(paths) > mostPaths {
		return nil, fmt.Errorf("%d paths are more than %d", len(paths), mostPaths)
	}
	return paths, nil
}

// places are folders as programs have them (struct ingrain_paths): by device
// and inode number, and by a hash of their name.
func places(paths []string) ([]byte, error) {
	const size = 8 + mostPaths*24
	if len(paths) > mostPaths {
		return nil, fmt.Errorf("%d paths are more than %d", len(paths), mostPaths)
	}
	raw := binary.NativeEndian.AppendUint64(make([]byte, 0, size), uint64(len(paths)))
	for _, name := range paths {
		inode, device, err := folder(name)
		if err != nil {
			return nil, err
		}
		hash := fnv.New64a()
		hash.Write([]byte(strings.TrimSuffix(path.Clean(name), "/")))
		raw = binary.NativeEndian.AppendUint64(raw, inode)
		raw = binary.NativeEndian.AppendUint64(raw, device)
		raw = binary.NativeEndian.AppendUint64(raw, hash.Sum64())
	}
	return raw[:size], nil
}

// folder is the inode number of a folder, and the device of its file system as
// the kernel numbers it.
func folder(name string) (inode, device uint64, err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY|unix.O_PATH, 0)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return 0, 0, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	// What stat says is not always what the kernel has: subvolumes of btrfs
	// have devices of their own, and overlays may number inodes in their own way.
	inode, mount := stat.Ino, ""
	err = eachLine(fmt.Sprintf("/proc/self/fdinfo/%d", f.Fd()), func(line string) {
		key, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); key {
		case "mnt_id":
			mount = value
		case "ino": // since 5.14
			if n, err := strconv.ParseUint(value, 10, 64); err == nil {
				inode = n
			}
		}
	})
	major, minor := unix.Major(stat.Dev), unix.Minor(stat.Dev)
	err = errors.Join(err, eachLine("/proc/self/mountinfo", func(line string) {
		if field := strings.Fields(line); len(field) > 2 && field[0] == mount {
			_, _ = fmt.Sscanf(field[2], "%d:%d", &major, &minor)
		}
	}))
	return inode, uint64(major)<<20 | uint64(minor), err // MKDEV of include/linux/kdev_t.h
}

func eachLine(file string, line func(string)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line(lines.Text())
	}
	return lines.Err()
}
