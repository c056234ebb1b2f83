#!/usr/bin/env bash
# Makes, once, a chroot of Debian unstable with a real MySQL server (root, debootstrap, about 900 MB, three minutes).
# usage: mysql-chroot.sh [folder]     default: $MYSQL_CHROOT, else sid in the peers' folder
set -euo pipefail
folder=${1:-${MYSQL_CHROOT:-${PEERS:-$HOME/.cache/anchors}/sid}}
[[ -x $folder/usr/sbin/mysqld ]] && { echo "$folder"; exit 0; }
mkdir -p "$(dirname "$folder")"
rm -rf "$folder.part"
debootstrap --variant=minbase --include=mysql-server sid "$folder.part" >&2
mv "$folder.part" "$folder"
echo "$folder"
