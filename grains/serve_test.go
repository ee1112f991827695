// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// serve is a role: "serve NETWORK ADDRESS..." listens, prints a line with all
// addresses, and answers each connection with a few bytes once the caller has
// sent all. When standard input ends it prints how many there were.
func serve(args []string) error {
	var count atomic.Int64
	var addresses []string
	for _, address := range args[1:] {
		l, err := net.Listen(args[0], address)
		if err != nil {
			return err
		}
		addresses = append(addresses, l.Addr().String())
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				count.Add(1)
				go answer(c)
			}
		}()
	}
	fmt.Println(strings.Join(addresses, " "))
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	fmt.Println(count.Load())
	return nil
}

func answer(c net.Conn) {
	defer c.Close()
	n, _ := io.Copy(io.Discard, c)
	c.Write(make([]byte, replySize(int(n))))
}

// replySize is how many bytes answer so many.
func replySize(n int) int { return n%1000 + 1 }

// call is a role: "call THREADS N SIZE ADDRESS..." connects N times in all,
// sends SIZE bytes each time, and reads the answer.
func call(args []string) error {
	var numbers [3]int
	for i := range numbers {
		n, err := strconv.Atoi(args[i])
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	threads, n, size := numbers[0], numbers[1], numbers[2]
	var next atomic.Int64
	var wait sync.WaitGroup
	failed := make(chan error, threads)
	for range threads {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := callOnce(args[3+i%(len(args)-3)], size); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(failed)
	return <-failed
}

func callOnce(address string, size int) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if size > 0 {
		if _, err := c.Write(make([]byte, size)); err != nil {
			return err
		}
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, c)
	if err == nil && int(n) != replySize(size) {
		err = fmt.Errorf("got %d bytes, want %d", n, replySize(size))
	}
	return err
}

// share is a role: "share PORT" listens on a port of 127.0.0.1 that others
// may share, prints the port, and tells each caller its pid.
func share(args []string) error {
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: loopback}); err != nil {
		return err
	}
	if err := unix.Listen(fd, 128); err != nil {
		return err
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	fmt.Println(at.(*unix.SockaddrInet4).Port)
	for {
		c, _, err := unix.Accept(fd)
		if err != nil {
			return err
		}
		unix.Write(c, []byte(strconv.Itoa(os.Getpid())))
		unix.Close(c)
	}
}

// server is a role at work that speaks in lines and ends with its input.
type server struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startServer(t testing.TB, name string, args ...string) *server {
	t.Helper()
	cmd := role(t, name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd, in, bufio.NewScanner(out)}
	t.Cleanup(func() {
		s.Process.Kill()
		s.Wait()
	})
	return s
}

// line is the next line that it says.
func (s *server) line(t testing.TB) string {
	t.Helper()
	if !s.out.Scan() {
		t.Fatalf("%v says nothing", s.Args)
	}
	return s.out.Text()
}

// end ends a "serve" and returns how many connections it served.
func (s *server) end(t testing.TB) int {
	t.Helper()
	s.in.Close()
	n, err := strconv.Atoi(s.line(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
