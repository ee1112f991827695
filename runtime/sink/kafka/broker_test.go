// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A real broker is a program of the Java machine, which the tests do without:
// kfake, of the authors of the client, is a fake with the protocol of one. What
// it was given is read by kcat, which is nobody's of theirs.

const kcatBinary = "../../../.cache/kafka/root/usr/bin/kcat"

// kcat is what Debian's kcat prints.
func kcat(t testing.TB, args ...string) string {
	t.Helper()
	root, err := filepath.Abs("../../../.cache/kafka/root")
	if err == nil {
		_, err = os.Stat(kcatBinary)
	}
	if err != nil {
		t.Fatalf("%v: run .ci/kafka, which installs it", err)
	}
	c := exec.Command(kcatBinary, args...)
	c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+root+"/usr/lib/x86_64-linux-gnu")
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("kcat %q: %v: %s", args, err, said.String())
	}
	return string(out)
}

// cluster is three brokers in this process, with the topic "rows" of three partitions.
func cluster(t testing.TB, options ...kfake.Opt) (c *kfake.Cluster, brokers string) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(3, "rows")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, strings.Join(c.ListenAddrs(), ",")
}

// errors that a broker may be told to answer with.
var codes = map[string]*kerr.Error{
	kerr.NotLeaderForPartition.Message: kerr.NotLeaderForPartition,
	kerr.NotEnoughReplicas.Message:     kerr.NotEnoughReplicas,
	kerr.RequestTimedOut.Message:       kerr.RequestTimedOut,
}

// broker is three brokers that are a process of their own, told on its standard
// input what to do. What they took is in a folder, for the next such process.
type broker struct {
	t     *testing.T
	dir   string
	ports []string
	cmd   *exec.Cmd
	in    io.Writer
	out   *bufio.Scanner
}

func newBroker(t *testing.T) *broker {
	b := &broker{t: t, dir: t.TempDir(), ports: freePorts(t, 3)}
	t.Cleanup(b.kill)
	return b
}

// freePorts are ports that nobody has, below those that the kernel gives to
// connections, one of which could have it while the brokers are away.
func freePorts(t testing.TB, n int) (ports []string) {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			if ports = append(ports, port); len(ports) == n {
				return ports
			}
		}
	}
	t.Fatal("found no free ports")
	return nil
}

func (b *broker) addresses() string { return "127.0.0.1:" + strings.Join(b.ports, ",127.0.0.1:") }

func (b *broker) start() {
	b.t.Helper()
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd = exec.Command(self)
	b.cmd.Env = append(os.Environ(), "INGRAIND_TEST_BROKER="+b.dir, "INGRAIND_TEST_PORTS="+strings.Join(b.ports, ","))
	b.cmd.Stderr = os.Stderr
	in, inErr := b.cmd.StdinPipe()
	out, outErr := b.cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, b.cmd.Start()); err != nil {
		b.t.Fatal(err)
	}
	b.in, b.out = in, bufio.NewScanner(out)
	b.answer()
}

// tell has the brokers do something, and is what they answer.
func (b *broker) tell(what string) string {
	b.t.Helper()
	if _, err := fmt.Fprintln(b.in, what); err != nil {
		b.t.Fatal(err)
	}
	return b.answer()
}

func (b *broker) answer() string {
	b.t.Helper()
	if !b.out.Scan() {
		b.t.Fatal("the brokers have ended")
	}
	return b.out.Text()
}

// kill ends it at once.
func (b *broker) kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("INGRAIND_TEST_BROKER"); dir != "" {
		os.Exit(serve(dir, strings.Split(os.Getenv("INGRAIND_TEST_PORTS"), ",")))
	}
	os.Exit(m.Run())
}

// serve is what that process does, until its standard input ends.
func serve(dir string, texts []string) int {
	var ports []int
	for _, text := range texts {
		port, _ := strconv.Atoi(text)
		ports = append(ports, port)
	}
	losing := &losses{}
	c, err := kfake.NewCluster(kfake.Ports(ports...), kfake.DataDir(dir), kfake.SeedTopics(3, "rows"), kfake.ListenFn(losing.listen))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	losing.watch(c)
	fmt.Println("ready")
	hits := map[string]*kfake.FaultHandle{}
	var slowed atomic.Int32
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		n := 0
		if len(words) > 1 {
			n, _ = strconv.Atoi(words[1])
		}
		answer := "ok"
		switch words[0] {
		case "move": // all partitions to other brokers
			for p := range int32(3) {
				_ = c.MoveTopicPartition("rows", p, (c.LeaderFor("rows", p)+1)%3)
			}
		case "slow": // the next so many requests take 200 ms
			slow(c, n, &slowed)
		case "slowed":
			answer = strconv.Itoa(int(slowed.Load()))
		case "lose": // so many requests are done, and their answers lost
			losing.next.Store(int32(n))
		case "lost":
			answer = strconv.Itoa(int(losing.lost.Load()))
		case "hits": // how often an error was answered
			answer = strconv.Itoa(hits[words[1]].Hits())
		default: // an error, for so many requests
			hits[words[0]] = c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: codes[words[0]], Count: n})
		}
		fmt.Println(answer)
	}
	return 0
}

func slow(c *kfake.Cluster, n int, slowed *atomic.Int32) {
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if n--; n < 0 {
			c.DropControl()
			return nil, nil, false
		}
		slowed.Add(1)
		c.SleepControl(func() { time.Sleep(200 * time.Millisecond) })
		return nil, nil, false
	})
}

// losses are answers that are lost: what was asked for is done, and the
// connection is gone before the answer.
type losses struct {
	next atomic.Int32 // so many
	due  atomic.Bool  // that which is written next
	lost atomic.Int32
}

func (l *losses) watch(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if l.next.Load() > 0 {
			l.next.Add(-1)
			l.due.Store(true)
		}
		return nil, nil, false
	})
}

func (l *losses) listen(network, address string) (net.Listener, error) {
	listener, err := net.Listen(network, address)
	return &losingListener{listener, l}, err
}

type losingListener struct {
	net.Listener
	losses *losses
}

func (l *losingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &losingConn{conn, l.losses}, err
}

type losingConn struct {
	net.Conn
	losses *losses
}

func (c *losingConn) Write(b []byte) (int, error) {
	if c.losses.due.CompareAndSwap(true, false) {
		c.losses.lost.Add(1)
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 60 s for %s", what)
		}
	}
}
