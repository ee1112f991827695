// SPDX-License-Identifier: Apache-2.0

package expr

// What parts cost in the kernel, in ns, as BPF_PROG_TEST_RUN measured them on
// the machine of the project's figures, ten of a kind in a row, in the cache.
const (
	costStep = 0.15 // a load, an operation, a comparison with its branch
	costDiv  = 1.2  // a division with its test for 0
	costLen  = 0.23 // of a string whose bytes are looked at one by one, for its length
	costByte = 0.5  // for what it ends with, or for another string
	costText = 0.2  // finding a text behind the event
	costWord = 0.6  // 8 bytes of a string that are copied
	costScan = 15   // contains, in the agent
	costRE2  = 150  // a short pattern on a short string, in the agent
)

// Cost estimates what computing the value takes, in ns. What is behind && and
// || counts half for each of them: it is not always reached.
func (e *Expr) Cost() float64 {
	if e.root.kind == kStr && !e.root.isConst() { // it is copied
		return e.root.cost() + costWord*float64((e.root.typ.Size+7)/8)
	}
	return e.root.cost()
}

func (n *node) cost() float64 {
	sum := 0.0
	for _, a := range n.args {
		sum += a.cost()
	}
	switch n.op {
	case opLit, opConst:
		return 0
	case opVar:
		return 0 // whoever reads it counts it
	case opAnd, opOr:
		return n.args[0].cost() + costStep + n.args[1].cost()/2
	case opCond:
		return n.args[0].cost() + costStep + (n.args[1].cost()+n.args[2].cost())/2
	case opArith:
		if n.sym == "/" || n.sym == "%" {
			return sum + costDiv
		}
	case opMatches:
		return sum + costRE2
	case opContains:
		return sum + costScan
	case opNet, opInNet:
		return sum + 3*costStep
	case opSize, opEnds:
		v := n.args[0].v
		switch {
		case v == nil || v.Type != "TypeString":
			return costText + 2*costStep
		case n.op == opSize:
			return costLen * float64(v.Size)
		case len(n.args[1].str) > 8: // in two words
			return 1.4 * costByte * float64(v.Size)
		}
		return costByte * float64(v.Size)
	case opStarts:
		return n.words(n.args[0], n.args[1])
	case opCmp:
		switch n.args[0].kind {
		case kAddr, kNet:
			return sum + 2*costStep
		case kStr, kRaw:
			return n.words(n.args[0], n.args[1])
		}
	}
	return sum + costStep
}

// words is what comparing bytes costs: in loads with a constant, else one by
// one.
func (n *node) words(x, y *node) float64 {
	if x.isConst() {
		x, y = y, x
	}
	if x.v == nil {
		return costStep
	}
	if !y.isConst() {
		return costByte * float64(min(x.typ.Size, longestInC))
	}
	if x.v.Type == "TypeText" {
		return costText + costStep*float64(len(y.str)/8+1)
	}
	return costStep * float64(len(loads(align(x.v), max(x.v.Size, len(y.str)), []byte(y.str))))
}
