# Reads one line per process started ("child <pid> <signal>"), ended ("gone <pid> <signal>") and directory to remove
# ("directory <path>", "removed <path>") from its parent. When the parent is gone, however it ended, standard input
# closes: the processes left are ended, and the directories removed.
trap '' INT TERM HUP
set -f
newline='
'
children=
directories=

without() {
  kept=
  IFS=$newline
  for item in $1; do
    if [ "$item" != "$2" ]; then kept="$kept$newline$item"; fi
  done
}

while IFS=' ' read -r word value; do
  case $word in
    child) children="$children$newline$value" ;;
    gone) without "$children" "$value" && children=$kept ;;
    directory) directories="$directories$newline$value" ;;
    removed) without "$directories" "$value" && directories=$kept ;;
  esac
done

signal_all() {
  IFS=$newline
  alive=
  for child in $children; do
    pid=${child%% *}
    if kill -s "${1:-${child##* }}" -- "-$pid" 2>/dev/null; then alive=yes; fi
  done
}

signal_all ''
for _ in 1 2 3 4 5 6 7 8; do
  signal_all 0
  if [ -z "$alive" ]; then break; fi
  sleep 0.5
done
signal_all KILL
IFS=$newline
for directory in $directories; do rm -rf -- "$directory"; done
