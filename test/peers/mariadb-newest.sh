#!/usr/bin/env bash
# Brings, once, the MariaDB of Debian 13 (11.8) with the libraries it needs; no root, about 150 MB. Prints a folder with `mariadbd`
# and `mariadb-install-db` that run them; the tests take it from PATH before the machine's own.
# usage: mariadb-newest.sh [folder]     default: /var/tmp/millrace-mariadb, where servers that are not run as root can read it
set -euo pipefail
folder=${1:-/var/tmp/millrace-mariadb}
[[ -x $folder/bin/mariadbd ]] && { echo "$folder/bin"; exit 0; }
mirror=https://deb.debian.org/debian
packages="mariadb-server-core mariadb-server mariadb-client-core mariadb-common libaio1t64 libc6 libcrypt1 libgcc-s1 libnuma1 libpcre2-8-0 libssl3t64
  libstdc++6 libsystemd0 liburing2 zlib1g liblz4-1 liblzma5 libzstd1 libcap2 libgcrypt20 libgpg-error0"
part=$folder.part; rm -rf "$part" "$folder"; mkdir -p "$part"
curl -fsS "$mirror/dists/trixie/main/binary-amd64/Packages.xz" | xz -dc >"$part/Packages"
for name in $packages; do
  file=$(awk -v name="$name" '/^Package: /{found = $2 == name} found && /^Filename: /{print $2; exit}' "$part/Packages")
  curl -fsS -o "$part/$name.deb" "$mirror/$file"
  dpkg -x "$part/$name.deb" "$part/root"; rm "$part/$name.deb"
done
rm "$part/Packages"; mkdir "$part/bin"
usr=$folder/root/usr libraries=$folder/root/usr/lib/x86_64-linux-gnu
# Each program runs with its own C library.
for program in sbin/mariadbd bin/my_print_defaults bin/resolveip; do
  mv "$part/root/usr/$program" "$part/root/usr/$program.real"
  printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s/%s.real "$@"\n' "$libraries" "$libraries" "$usr" "$program" >"$part/root/usr/$program"
done
places="--basedir=$usr --lc-messages-dir=$usr/share/mariadb --character-sets-dir=$usr/share/mariadb/charsets"
# --no-defaults has to stay the first argument.
printf '#!/bin/sh\nfirst=$1; shift\nexec %s "$first" %s "$@"\n' "$usr/sbin/mariadbd" "$places --plugin-dir=$usr/lib/mysql/plugin" >"$part/bin/mariadbd"
printf '#!/bin/sh\nfirst=$1; shift\nexec %s "$first" %s "$@"\n' "$usr/bin/mariadb-install-db" "$places" >"$part/bin/mariadb-install-db"
chmod -R a+rX "$part"; chmod 755 "$part"/bin/* "$part"/root/usr/sbin/mariadbd "$part"/root/usr/bin/{my_print_defaults,resolveip}
mv "$part" "$folder"
echo "$folder/bin"
