#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lint: what tests/call-graph and tests/figures say of a tree of three files.

load ../helpers

# low/ may call nothing, high/ may call low/, main.c all of them.
setup() {
	tree=$BATS_TEST_TMPDIR
	unset B
	mkdir -p "$tree"/{src,build}/{low,high} "$tree/tests"
	printf '%s\n' '# the rooms' low high >"$tree/src/layers"
	touch "$tree"/tests/{call-graph,figures}.known
	file low/ground.c <<<'int depth; int ground(void) { return depth; }'
	file high/roof.c <<<'int ground(void); int roof(void) { return ground(); }'
	file main.c <<<'int roof(void); int main(void) { return roof(); }'
}

# file NAME - its text comes from stdin
file() {
	cat >"$tree/src/$1"
	gcc -O2 -c -o "$tree/build/${1%.c}.o" "$tree/src/$1"
}

graph() {
	run "$tests/call-graph" "$tree"
}

figures() {
	run "$tests/figures" "$@" "$tree"
}

# beside - roof.c has a neighbour, and both call each other
beside() {
	file high/roof.c <<<'int gable(int n); int roof(void) { return gable(3); } int tile(int n) { return n; }'
	file high/gable.c <<<'int tile(int n); int gable(int n) { return tile(n) + 1; }'
}

@test "calls downward are no error" {
	graph
	assert_success
	refute_output
}

@test "a circle of two files is an error, with the calls that make the circle" {
	beside
	graph
	assert_failure 1
	assert_output - <<-END
		new circle: high/gable.c high/roof.c
		  high/gable.c -> high/roof.c: tile (by gable)
		  high/roof.c -> high/gable.c: gable (by roof)
	END
}

@test "a known circle is no error until the circle is gone" {
	beside
	"$tests/call-graph" -k "$tree" >"$tree/tests/call-graph.known"
	assert_equal "$(<"$tree/tests/call-graph.known")" 'high/gable.c high/roof.c'
	graph
	assert_success

	file high/gable.c <<<'int gable(int n) { return n; }'
	graph
	assert_failure 1
	assert_output 'no circle any more, remove the line: high/gable.c high/roof.c'
}

@test "a circle that lost a file must be written smaller" {
	beside
	echo 'high/gable.c high/roof.c main.c' >"$tree/tests/call-graph.known"
	graph
	assert_failure 1
	assert_line 'smaller circle, write this line: high/gable.c high/roof.c'
	assert_line 'no circle any more, remove the line: high/gable.c high/roof.c main.c'
}

@test "a call upward is an error" {
	file low/ground.c <<<'int slate(void); int ground(void) { return slate(); }'
	file high/roof.c <<<'int slate(void) { return 1; } int roof(void) { return 2; }'
	graph
	assert_failure 1
	assert_output - <<-END
		new call upward: low/ground.c -> high/roof.c
		  low/ground.c -> high/roof.c: slate (by ground)
	END
}

@test "a known call upward is no error until the call is gone" {
	file low/ground.c <<<'int slate(void); int ground(void) { return slate(); }'
	file high/roof.c <<<'int slate(void) { return 1; } int roof(void) { return 2; }'
	echo 'low/ground.c -> high/roof.c # for now' >"$tree/tests/call-graph.known"
	graph
	assert_success
	refute_output

	file low/ground.c <<<'int ground(void) { return 1; }'
	graph
	assert_failure 1
	assert_output 'no call upward any more, remove the line: low/ground.c -> high/roof.c'
}

@test "code that reads an object of a higher file is an error too" {
	file low/ground.c <<<'extern int height; int ground(void) { return height; }'
	file high/roof.c <<<'int height; int ground(void); int roof(void) { return ground(); }'
	graph
	assert_failure 1
	assert_line 'new circle: high/roof.c low/ground.c'
	assert_line '  low/ground.c -> high/roof.c: height (by ground)'
}

@test "a callback is no call, neither in a table nor as an argument" {
	file low/ground.c <<-'END'
		int slate(void);
		int (*const table[])(void) = { slate, 0 };
		__attribute__((noipa)) static int call(int (*callback)(void)) { return callback(); }
		int ground(int n) { return table[n]() + call(slate); }
	END
	file high/roof.c <<<'int ground(void); int slate(void) { return 1; } int roof(void) { return ground(); }'
	graph
	assert_success
	refute_output
}

@test "a room that src/layers does not name is an error" {
	mkdir -p "$tree"/{src,build}/attic
	file attic/box.c <<<'int box;'
	graph
	assert_failure 1
	assert_output 'src/layers does not name the room of attic/box.c'
}

@test "an object that is missing is told, with what to type" {
	rm "$tree/build/main.o"
	graph
	assert_failure 1
	assert_output --partial 'main.o is missing or older than'
	assert_output --partial 'type: make'
}

@test "the figures are one line" {
	figures
	assert_success
	assert_output - <<-END
		3 lines of src/, 3 functions, longest 1 (ground), 0 functions over 50 lines, $(
		)0 functions with more than 5 parameters, 0 lines over 100 columns, 0 strings broken over lines, $(
		)0 static names in more than one file, 0 circles of calls, 0 calls upward
	END
}

# body N - a function of N lines
body() {
	printf 'int slow(void)\n{\n'
	for ((i = 4; i < $1; i++)); do
		echo
	done
	printf '\treturn 0;\n}\n'
}

@test "a function of 50 lines is none too long, one of 51 is" {
	body 50 | file low/slow.c
	figures
	assert_success
	assert_output --partial 'longest 50 (slow), 0 functions over'

	body 51 | file low/slow.c
	figures
	assert_failure 1
	assert_line '  src/low/slow.c:1: slow'
	assert_output --partial 'longest 51 (slow), 1 functions over'
}

@test "what may not grow is named, and what became less must be written" {
	file low/wide.h <<<"/* $(printf '%094d' 0) */"
	figures
	assert_success

	# a tab is eight columns
	printf '\t/* %087d */\n' 0 >>"$tree/src/low/wide.h"
	figures
	assert_failure 1
	assert_line 'lines over 100 columns: 1, more than the 0 of tests/figures.known:'
	assert_line '  src/low/wide.h:2'

	echo '2 lines over 100 columns' >"$tree/tests/figures.known"
	figures
	assert_failure 1
	assert_line 'lines over 100 columns: 1, less than the 2 of tests/figures.known; write 1 into the file'

	echo '1 lines over 100 columns' >"$tree/tests/figures.known"
	figures
	assert_success
}

@test "parameters, broken strings and static names are counted" {
	file low/ground.c <<-'END'
		int ground(int (*f)(int, int, int, int, int, int), int b) { return f(b, b, b, b, b, b); }
		int many(int a, int b, int c, int d, int e, int f) { return a + b + c + d + e + f; }
		static const char *tell(void) { return "one line\n"
			"another, \"broken\" "
			"// into two"; /* "no " */
			/* "string" */ }
		const char *told(void) { return tell(); }
		const char *const list[] = { "one",
			"two", "three" "four" };
	END
	file high/tale.c <<<'static int tell(void) { return 1; } int tale(void) { return tell(); }'
	figures -v
	assert_failure 1
	assert_line '  src/low/ground.c:2: many'
	assert_line '  src/low/ground.c:4'
	assert_line '  tell: src/high/tale.c src/low/ground.c'
	assert_line --partial '1 functions with more than 5 parameters, 0 lines over 100 columns, 1 strings broken over lines, 1 static names'
}
