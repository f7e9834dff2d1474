# on_disk.sh FOLDER OPTIONS COMMAND...: runs the command with a file system of its own at FOLDER, mounted with OPTIONS,
# and ends as it does.
folder=$1 options=$2
shift 2
mount -t tmpfs -o "$options" tmpfs "$folder" || exit 99
"$@"
code=$?
[ -z "$(find "$folder" -name 'resin-*' -o -name '*.part*')" ] && echo "nothing is left" >&2
exit $code
