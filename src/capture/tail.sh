
usage() {
	echo 'usage: capture.sh [--with-vpd] [--with-serials] [DIR] >FILE' >&2
	exit 2
}

vpd=0
serials=0
from=
for word; do
	case $word in
	--with-vpd) vpd=1 ;;
	--with-serials) serials=1 ;;
	-*) usage ;;
	*) from=${word%/} ;;
	esac
done
[ ! -t 1 ] || usage
live=1
if [ -n "$from" ]; then
	live=0
	[ -d "$from/sys" ] || usage
fi
table=$(rules)
newline='
'

# ---- what is there: each entry becomes lines for format() below, which tell them apart by their first letter

# why PATH: the name of the error that reading it gives
why() {
	case $(cat "$1" 2>&1 >/dev/null) in
	*'ermission denied'*) echo EACCES ;;
	*'not permitted'*) echo EPERM ;;
	*'such device or address'*) echo ENXIO ;;
	*'such device'*) echo ENODEV ;;
	*'nvalid argument'*) echo EINVAL ;;
	*'emporarily unavailable'*) echo EAGAIN ;;
	*) echo EIO ;;
	esac
}

# hidden PATH: whether it is not seen because a folder above it may not be entered
hidden() {
	above=${1%/*}
	while [ -n "$above" ] && [ ! -e "$above" ]; do
		above=${above%/*}
	done
	[ -n "$above" ] && [ -d "$above" ] && [ ! -x "$above" ]
}

entry() { # LETTER FOLDER NAME
	printf '%s\nD %s\nN %s\n' "$1" "$2" "$3"
}

take_file() { # ACTION FOLDER NAME
	full=$from/$2/$3
	if [ -f "$full" ]; then
		entry "F $1" "$2" "$3"
		if { od -An -v -tx1 <"$full"; } 2>/dev/null; then
			echo E
		else
			echo "E $(why "$full")"
		fi
	elif [ -e "$full" ]; then
		entry "F $1" "$2" "$3"
		echo 'E EINVAL'
	elif hidden "$full"; then
		entry "F $1" "$2" "$3"
		echo 'E EACCES'
	fi
}

# inside FOLDER TARGET: whether the link stays below the root; resolved is where it leads to
inside() {
	case $2 in
	/*) resolved= ;;
	*) resolved=$1 ;;
	esac
	todo=$2/
	while [ -n "$todo" ]; do
		part=${todo%%/*}
		todo=${todo#*/}
		case $part in
		'' | .) ;;
		..)
			[ -n "$resolved" ] || return 1
			case $resolved in
			*/*) resolved=${resolved%/*} ;;
			*) resolved= ;;
			esac
			;;
		*) resolved=${resolved:+$resolved/}$part ;;
		esac
	done
}

take_link() { # FOLDER NAME
	[ -L "$from/$1/$2" ] || return 1
	target=$(readlink "$from/$1/$2") && inside "$1" "$target" || return 1
	entry L "$1" "$2"
	printf 'T %s\n' "$target"
}

take() { # ACTION FOLDER NAME
	case $3 in
	*"$newline"*) ;;
	*)
		case $1 in
		link) take_link "$2" "$3" ;;
		vpd) [ $vpd = 0 ] || take_file "$@" ;;
		*) take_file "$@" ;;
		esac
		;;
	esac
}

# ---- the rows of the table

unseen() { # FOLDER: that "*" found nothing in
	[ -d "$from/$1" ] && [ ! -r "$from/$1" ] || return 0
	entry U "${1%/*}" "${1##*/}"
}

take_names() { # ACTION FOLDER NAME...
	action=$1
	folder=$2
	shift 2
	for name; do
		if [ "$name" != '*' ]; then
			take "$action" "$folder" "$name"
			continue
		fi
		for each in "$from/$folder"/*; do
			if [ -e "$each" ] || [ -L "$each" ]; then
				take "$action" "$folder" "${each##*/}"
			else
				unseen "$folder"
			fi
		done
	done
}

take_folders() { # ACTION FOLDER NAME...
	pattern=$2
	case $pattern in
	*'/*'*) ;;
	*)
		take_names "$@"
		return
		;;
	esac
	word=$1
	shift 2
	for one in "$from/${pattern%%/\**}"/*; do
		if [ -e "$one" ]; then
			take_names "$word" "${one#"$from"/}${pattern#*/\*}" "$@"
		else
			unseen "${pattern%%/\**}"
		fi
	done
}

take_found() { # FOLDER PATTERN PATTERN
	[ -d "$from/$1" ] || return 0
	find "$from/$1" -name "$2" -o -name "$3" | sort | while IFS= read -r found; do
		found=${found#"$from"/}
		take file "${found%/*}" "${found##*/}"
	done
}

take_row() { # BASE ACTION FOLDER NAME...
	base=$1
	action=$2
	folder=$3
	shift 3
	case $folder in
	.) folder=$base ;;
	*) folder=${base:+$base/}$folder ;;
	esac
	case $action in
	member)
		driver=$(readlink "$from/$folder") && take_link "$1/${driver##*/}" "$member"
		;;
	find) take_found "$folder" "$@" ;;
	*) take_folders "$action" "$folder" "$@" ;;
	esac
}

take_scope() { # SCOPE BASE
	while read -r scope rest; do
		[ "$scope" = "$1" ] || continue
		set -f
		# the words of a row have no quotes
		# shellcheck disable=SC2086
		set -- "$1" "$2" $rest
		set +f
		kept_scope=$1
		kept_base=$2
		shift 2
		take_row "$kept_base" "$@"
		set -- "$kept_scope" "$kept_base"
	done <<END
$table
END
}

follow() { # SCOPE FOLDER
	for link in "$from/$2"/*; do
		member=${link##*/}
		take_link "$2" "$member" || continue
		[ -e "$from/$resolved" ] || continue
		printf 'H %s\n' "$resolved"
		take_scope "$1" "$resolved"
	done
}

take_all() {
	while read -r first rest; do
		case $first in
		word) printf 'W %s\n' "$rest" ;;
		esac
	done <<END
$table
END
	# rows in their order: a follow in the midst of them ends a run of others
	while read -r first second third; do
		case $first in
		follow) follow "$second" "$third" ;;
		all)
			set -f
			# shellcheck disable=SC2086
			set -- "$second" $third
			set +f
			take_row '' "$@"
			;;
		esac
	done <<END
$table
END
}

# ---- how it is written

format() {
	awk -v serials=$serials '
	function hex(s,  i, v) {
		for (i = 1; i <= length(s); i++)
			v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
		return v
	}
	function safe(s, name,  i, c, out) {
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (name && (c == " " || (i == 1 && (c == "#" || c == "|"))))
				out = out sprintf("\\x%02x", code[c])
			else
				out = out escaped[sprintf("%02x", code[c])]
		}
		return out
	}
	function section(path) {
		if (path == current) return
		current = path
		print "/" safe(path, 1)
	}
	# no blank at the end of a line
	function ending(s) {
		if (s ~ / $/) s = substr(s, 1, length(s) - 1) "\\x20"
		return s
	}
	function text_line(mark, s, cut) {
		print mark (s != "" || cut ? " " : "") ending(s) (cut ? "\\c" : "")
	}
	# the 8 bytes behind the header of every Device Serial Number capability, extended id 0003
	function forget_serials(  i, k, x, b, n, p, seen, line) {
		for (i = 1; i <= rows; i++) {
			k = split(row[i], x, " ")
			for (p = 1; p <= k; p++) b[n++] = x[p]
		}
		for (p = 256; p >= 256 && p + 12 <= n && !(p in seen);) {
			seen[p] = 1
			if (b[p + 1] b[p] == "0003")
				for (i = p + 4; i < p + 12; i++) b[i] = "00"
			p = hex(b[p + 3] substr(b[p + 2], 1, 1))
			p -= p % 4
		}
		for (i = 1; i <= rows; i++) {
			line = ""
			for (p = 0; p < 16 && (i - 1) * 16 + p < n; p++) line = line " " b[(i - 1) * 16 + p]
			row[i] = line
		}
	}
	# rows of bytes become lines of text, as far as they are text
	function decode(  i, p, k, x, length_) {
		size = strange = lines = length_ = 0
		rest = ""
		whole = 1
		for (i = 1; i <= rows; i++) {
			k = split(row[i], x, " ")
			size += k
			for (p = 1; p <= k; p++) {
				if (x[p] == "0a") {
					line[++lines] = rest
					rest = ""
					length_ = 0
					continue
				}
				if (++length_ > 16384) whole = 0
				if (!(x[p] in plain)) strange++
				if (whole) rest = rest escaped[x[p]]
			}
		}
		if (strange * 4 > size) whole = 0
	}
	function only_words(  i, p, k, x, all, out) {
		for (i = 1; i <= lines; i++) all = all " " line[i]
		all = all " " rest
		gsub(/\\t|\\x0[a-d]/, " ", all)
		k = split(all, x, " ")
		for (i = 1; i <= k; i++)
			for (p = 1; p <= words; p++)
				if (x[i] ~ word[p]) {
					out = out (out == "" ? "" : " ") x[i]
					break
				}
		lines = 1
		line[1] = out
		rest = ""
	}
	# of more than 4 CPUs the first whole; no serial numbers
	function few_cpus(  i, cpus, at, inner, first, n) {
		for (i = 1; i <= lines; i++) cpus += line[i] ~ /^processor( |\\t)*:/
		for (i = 1; i <= lines; i++) {
			if (!serials && line[i] ~ /^(Serial|.*identification *=)/) continue
			first = line[i] ~ /^processor( |\\t)*:/
			if (first) inner = ++at > 1
			if (line[i] == "") inner = 0
			if (cpus <= 4 || !inner || first) line[++n] = line[i]
		}
		lines = n
	}
	function no_addresses(  i, zeros) {
		for (i = 1; i <= lines; i++)
			if (match(line[i], /0x[0-9a-fA-F]*/)) {
				zeros = substr(line[i], RSTART + 2, RLENGTH - 2)
				gsub(/./, "0", zeros)
				line[i] = substr(line[i], 1, RSTART + 1) zeros substr(line[i], RSTART + RLENGTH)
			}
	}
	function put_hex(  i, x, p, k) {
		print safe(name, 1) " hex"
		for (i = 1; i <= rows; i++) {
			k = split(row[i], x, " ")
			for (p = 1; p <= k && x[p] == "00";) p++
			if (p > k) continue
			printf "| %03x:", (i - 1) * 16
			for (p = 1; p <= k; p++) printf " %s", x[p]
			print ""
		}
		printf "| %03x\n", size
	}
	function put_file(  i) {
		if (action == "config" && !serials) forget_serials()
		if (action == "dmar" && rows > 3) rows = 3
		if (action == "mark") rows = 0
		decode()
		if (action == "cmdline") only_words()
		if (action == "cpuinfo") few_cpus()
		if (action == "modules") no_addresses()
		section(folder)
		files++
		if (!whole && size > 1048576) print safe(name, 1) " ! EFBIG"
		else if (!whole) put_hex()
		else if (lines + (rest != "") <= 1) text_line(safe(name, 1) " =", lines ? line[1] : rest, !lines)
		else {
			print safe(name, 1) " |"
			for (i = 1; i <= lines; i++) text_line("|", line[i], 0)
			if (rest != "") text_line("|", rest, 1)
		}
	}
	function put_unread(err) {
		section(folder)
		print safe(name, 1) " ! " err
		unread++
	}
	BEGIN {
		for (i = 1; i < 256; i++) {
			h = sprintf("%02x", i)
			c = sprintf("%c", i)
			code[c] = i
			escaped[h] = "\\x" h
			if (i >= 32 && i < 127) escaped[h] = c
			if (i >= 32 && i < 127 || i == 9) plain[h] = 1
		}
		escaped["00"] = "\\x00"
		escaped["5c"] = "\\\\"
		escaped["09"] = "\\t"
	}
	/^ / { row[++rows] = $0; next }
	/^W / { word[++words] = substr($0, 3); next }
	/^H / { section(substr($0, 3)); next }
	/^D / { folder = substr($0, 3); next }
	/^F / { action = $2; rows = 0; next }
	/^[LU]$/ { action = $0; next }
	/^N / {
		name = substr($0, 3)
		if (action == "U" && !((folder "/" name) in told)) {
			told[folder "/" name] = 1
			put_unread("EACCES")
		}
		next
	}
	/^T / {
		section(folder)
		print safe(name, 1) " -> " safe(substr($0, 3), 0)
		links++
		next
	}
	/^E$/ { put_file(); next }
	/^E / { put_unread($2) }
	END { printf "# %d files, %d links; %d could not be read.\nend\n", files, links, unread }'
}

first() { # FILE: its first line
	{ read -r line <"$from/$1"; } 2>/dev/null && printf ' %s' "$line"
}

kept() { # FLAG WORDS
	if [ "$1" = 1 ]; then printf 'kept, as was asked'; else printf '%s' "$2"; fi
}

echo 'msictl capture 1'
echo '# What msictl reads of /sys and /proc: msictl --root FILE list reads this file instead.'
echo '# The format is in msictl-capture(5); it may be read, compared, and changed by hand.'
echo "# Written by the script of msictl $version on $(date -u +%Y-%m-%d)"
echo "# Kernel$(first proc/sys/kernel/osrelease)$(first proc/sys/kernel/arch)"
if [ $live = 1 ] && [ "$(id -u)" != 0 ]; then
	echo '# Not read as root: configuration spaces end at byte 64, and what only root may read is missing.'
fi
echo '# Left out: processes, users, host names, network addresses, DMI serial numbers, and the words of the'
echo "# kernel's command line that are not about PCI, interrupts, CPUs, IOMMUs or virtualization."
echo '# Zeros: addresses of kernel modules.'
echo "# Device Serial Numbers and serial numbers of CPUs: $(kept $serials 'zeros or left out')." \
	"Vital product data: $(kept $vpd 'left out')."
echo '# Names of drivers, modules and interrupt actions, such as eth0-rx-0, are in it.'
take_all </dev/null | format
