// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// batchAge is how old the first row of a batch may become before the batch is
// closed, for sinks that are not Prompt.
const batchAge = time.Second

// Lanes hands each row to the lanes that want it. A row is encoded once for
// each distinct encoding, then copied into an open batch for each set of lanes
// that close theirs together; lanes whose sinks are Partitioned have one for
// each grain, or event. A lane gets the rows of events that go to the same lanes in the
// order of Add.
//
// One goroutine, the reading one, calls Add, Idle, Tick, Wait and Close. Only
// the last two wait for sinks, and Add for those whose lane is BlockStream.
type Lanes struct {
	mu      sync.Mutex // held where lanes, retired and past change, and where others than the reading goroutine look
	lanes   []*Lane
	retired []*retiree
	past    []LaneBooks // of lanes that have ended

	routing Routes
	now     time.Time // of the latest Tick
	stock   batchStock
	open    []*openBatch
	routes  map[*Event][]route
	row     []byte // the row being added, encoded

	lastEvent *Event // of routes, for the next row is often another of its kind
	lastRoute []route
}

// route is what a row of some event goes through: one encoding, some batches.
type route struct {
	encoding Encoding
	into     []*openBatch
}

// openBatch gathers rows of one encoding for lanes of one age.
type openBatch struct {
	encoding  string
	age       time.Duration
	size      int // bytes that close it
	prompt    bool
	partition Partition
	grain     string // whose rows are gathered, as partition says
	event     string
	head      []byte // what batches begin with
	lanes     []*Lane

	batch   *sharedBatch // nil before its first row
	hour    int64        // that all rows are of, unless Together
	since   time.Time
	handed  time.Time // when the batch before was
	counted int       // rows that the lanes' books know of
}

// NewLanes is the lanes given, which must have different names.
func NewLanes(lanes ...*Lane) *Lanes {
	return &Lanes{lanes: lanes, now: time.Now(), routes: map[*Event][]route{}}
}

// Route has rows go where routes say, from now on. It is called before the first Add.
func (l *Lanes) Route(routes Routes) { l.routing = routes }

// Add hands row to the lanes that its event's Sinks admit. It allocates and
// locks nothing in the steady state, but when a batch is closed.
func (l *Lanes) Add(row *Row) {
	if row.Event != l.lastEvent {
		l.lastEvent, l.lastRoute = row.Event, l.routesOf(row)
	}
	for i := range l.lastRoute {
		r := &l.lastRoute[i]
		l.row = r.encoding.AppendRow(l.row[:0], row)
		for _, o := range r.into {
			l.gather(o, l.row, row.Record.Time)
		}
	}
}

// Idle says that there is nothing more to read for now: what Prompt sinks
// gathered is on its way.
func (l *Lanes) Idle() {
	for _, o := range l.open {
		if o.prompt {
			l.handOver(o)
		}
	}
}

// Drained says that what was there has been read, while more may come: a
// Prompt sink that was given nothing for as long as its Age is given that, and
// need not wait for its batch to age.
func (l *Lanes) Drained() {
	for _, o := range l.open {
		if o.prompt && o.batch != nil && l.now.Sub(o.handed) >= o.age {
			l.handOver(o)
		}
	}
}

// Tick says what time it is, about ten times a second or oftener: batches
// that are old enough are closed, and the books know of every row so far.
func (l *Lanes) Tick(now time.Time) {
	l.now = now
	l.succeed()
	for _, o := range l.open {
		o.count()
		if o.batch != nil && now.Sub(o.since) >= o.age {
			l.handOver(o)
		}
	}
}

// Wait waits until each lane has half of its room free, or ctx is done. It is
// for a source that can wait, a recording; the kernel cannot.
func (l *Lanes) Wait(ctx context.Context) {
	for _, lane := range l.lanes {
		for !lane.hasRoom() {
			select {
			case <-lane.room:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Unblock ends any waiting of Add, now and later. Any goroutine may call it.
func (l *Lanes) Unblock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.lanes {
		lane.unblock()
	}
}

// Close ships what is left until ctx is done, spools the rest or counts it as
// dropped, and closes the sinks, all lanes at the same time. A sink that does
// not return even then is left behind, and is one of the errors.
func (l *Lanes) Close(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.Unblock)()
	for _, o := range l.open {
		l.handOver(o)
	}
	l.endRetired(ctx)
	errs := make([]error, len(l.lanes))
	var wait sync.WaitGroup
	for i, lane := range l.lanes {
		wait.Go(func() { errs[i] = lane.Close(ctx) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Books is the books of each lane, and of those that a Change ended.
func (l *Lanes) Books() []LaneBooks {
	l.mu.Lock()
	defer l.mu.Unlock()
	books := slices.Clone(l.past)
	for _, r := range l.retired {
		if r.lane != nil {
			b := r.lane.Books()
			b.Ended = true
			books = append(books, b)
		}
	}
	for _, lane := range l.lanes {
		books = append(books, lane.Books())
	}
	return books
}

// gather adds one encoded row to a batch.
func (l *Lanes) gather(o *openBatch, row []byte, ns int64) {
	if o.batch != nil && (len(o.batch.Bytes)+len(row) > o.size || o.partition != Together && hourOf(ns) != o.hour) {
		l.handOver(o)
	}
	if o.batch == nil {
		o.batch, o.since = l.stock.get(len(o.head)+len(row), o.size), l.now
		o.batch.First = time.Unix(0, ns)
		o.batch.Grain, o.batch.Event, o.hour = o.grain, o.event, hourOf(ns)
		o.batch.Bytes = append(o.batch.Bytes, o.head...)
	}
	b := o.batch
	if need := len(b.Bytes) + len(row); need > cap(b.Bytes) {
		larger := l.stock.get(need, o.size)
		bytes := append(larger.Bytes, b.Bytes...)
		larger.Batch, larger.Bytes = b.Batch, bytes
		l.stock.put(b)
		o.batch, b = larger, larger
	}
	b.Bytes = append(b.Bytes, row...)
	b.Last = time.Unix(0, ns)
	b.Rows++
	if len(b.Bytes) >= o.size {
		l.handOver(o)
	}
}

// hourOf is the hour of a time.
func hourOf(ns int64) int64 { return ns / int64(time.Hour) }

// handOver gives an open batch to its lanes.
func (l *Lanes) handOver(o *openBatch) {
	if o.batch == nil {
		return
	}
	o.count()
	b := o.batch
	o.batch, o.counted, o.handed = nil, 0, l.now
	b.holders.Store(int32(len(o.lanes)))
	for _, lane := range o.lanes {
		lane.offer(b)
	}
}

// count enters the rows that came since the last time into the lanes' books.
func (o *openBatch) count() {
	if o.batch == nil || o.batch.Rows == o.counted {
		return
	}
	for _, lane := range o.lanes {
		lane.enter(o.batch.Rows - o.counted)
	}
	o.counted = o.batch.Rows
}

// routesOf is where rows of an event go, worked out at its first row.
func (l *Lanes) routesOf(row *Row) []route {
	if routes, ok := l.routes[row.Event]; ok {
		return routes
	}
	var routes []route
	for _, o := range l.batchesFor(row) {
		i := slices.IndexFunc(routes, func(r route) bool { return r.encoding.Name() == o.encoding })
		if i < 0 {
			i = len(routes)
			routes = append(routes, route{encoding: o.lanes[0].encoding})
		}
		routes[i].into = append(routes[i].into, o)
	}
	l.routes[row.Event] = routes
	return routes
}

// batchesFor is the open batches of the lanes that rows such as this may go to:
// those of other events for the same lanes, or new ones.
func (l *Lanes) batchesFor(row *Row) []*openBatch {
	grain := ""
	if row.Grain != nil {
		grain = row.Grain.Name
	}
	var wanted []*openBatch
	for _, lane := range l.lanes {
		if !l.routing.admit(grain, row.Event, lane.name) {
			continue
		}
		i := slices.IndexFunc(wanted, func(o *openBatch) bool {
			return o.encoding == lane.encoding.Name() && o.age == lane.age && o.size == lane.size && o.prompt == lane.prompt && o.partition == lane.partition
		})
		if i < 0 {
			i = len(wanted)
			o := &openBatch{encoding: lane.encoding.Name(), age: lane.age, size: lane.size, prompt: lane.prompt, partition: lane.partition}
			if o.partition != Together {
				o.grain = grain
			}
			if o.partition == ByEvent {
				o.event = row.Event.Name
				if headed, ok := lane.encoding.(Headed); ok {
					o.head = headed.AppendHead(nil, row)
				}
			}
			wanted = append(wanted, o)
		}
		wanted[i].lanes = append(wanted[i].lanes, lane)
	}
	for i, o := range wanted {
		j := slices.IndexFunc(l.open, func(p *openBatch) bool {
			return p.encoding == o.encoding && p.partition == o.partition && p.grain == o.grain && p.event == o.event && slices.Equal(p.lanes, o.lanes)
		})
		if j < 0 {
			l.open = append(l.open, o)
			continue
		}
		wanted[i] = l.open[j]
	}
	return wanted
}
