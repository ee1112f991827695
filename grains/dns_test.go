package grains

import (
	"fmt"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

func TestDbg(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, dns.New())
	time.Sleep(2 * time.Second)
	rows, l := agent.Stop()
	fmt.Println(rows)
	fmt.Printf("%+v\n", l)
}
