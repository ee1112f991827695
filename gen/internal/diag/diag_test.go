// SPDX-License-Identifier: Apache-2.0

package diag

import "testing"

func TestPosIsFileLineColOrTheFileAlone(t *testing.T) {
	for _, c := range []struct {
		pos  Pos
		want string
	}{
		{Pos{"grains/exec.yaml", 3, 7}, "grains/exec.yaml:3:7"},
		{Pos{File: "grains/exec.yaml"}, "grains/exec.yaml"},
		{Pos{File: "grains/exec.yaml", Col: 7}, "grains/exec.yaml"},
	} {
		if got := c.pos.String(); got != c.want {
			t.Errorf("%#v: got %s, want %s", c.pos, got, c.want)
		}
	}
}

func TestListWithoutMistakesIsNoError(t *testing.T) {
	var list List
	if err := list.Err(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if got := list.Len(); got != 0 {
		t.Errorf("got %d mistakes, want 0", got)
	}
}

func TestListIsSortedByPositionEachMistakeOnce(t *testing.T) {
	var list, other List
	list.Add(Pos{"b.yaml", 1, 1}, "in another file")
	list.Add(Pos{"a.yaml", 10, 1}, "ten comes after two")
	list.Add(Pos{"a.yaml", 2, 9}, "by column")
	list.Add(Pos{"a.yaml", 2, 3}, "z after y")
	other.Add(Pos{"a.yaml", 2, 3}, "y before %s", "z")
	other.Add(Pos{"a.yaml", 10, 1}, "ten comes after two")
	other.Add(Pos{File: "a.yaml"}, "the file as a whole")
	list.Join(other)

	want := "a.yaml: the file as a whole\n" +
		"a.yaml:2:3: y before z\n" +
		"a.yaml:2:3: z after y\n" +
		"a.yaml:2:9: by column\n" +
		"a.yaml:10:1: ten comes after two\n" +
		"b.yaml:1:1: in another file"
	if got := list.Err().Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := list.Len(); got != 7 {
		t.Errorf("got %d mistakes, want all 7 that were added", got)
	}
}

func TestMistakesLeavesTheListAsItIs(t *testing.T) {
	var list List
	list.Add(Pos{"b.yaml", 1, 1}, "second")
	list.Add(Pos{"a.yaml", 1, 1}, "first")
	list.Mistakes()[0].Msg = "changed"
	if got, want := list.Err().Error(), "a.yaml:1:1: first\nb.yaml:1:1: second"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDidYouMeanNamesTheNearest(t *testing.T) {
	for _, c := range []struct {
		got        string
		candidates []string
		want       string
	}{
		{"prboes", []string{"params", "probes", "events"}, `; did you mean "probes"?`},
		{"hlep", []string{"help", "hide"}, `; did you mean "help"?`},
		{"HELP", []string{"help"}, `; did you mean "help"?`},
		{"event", []string{"events", "event_"}, `; did you mean "events"?`}, // the first of equals
		{"tracepiont/", []string{"raw_tp/", "tracepoint/"}, `; did you mean "tracepoint/"?`},
		{"author", []string{"grain", "help", "params"}, ""},
		{"x", []string{"a", "b"}, ""},
		{"", []string{"a"}, ""},
		{"help", nil, ""},
	} {
		if got := DidYouMean(c.got, c.candidates); got != c.want {
			t.Errorf("DidYouMean(%q, %q): got %q, want %q", c.got, c.candidates, got, c.want)
		}
	}
}

func TestDistanceIsLevenshteins(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"ab", "ba", 2}, {"open", "opened", 2},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q): got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
