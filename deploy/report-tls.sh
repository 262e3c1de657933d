#!/usr/bin/env bash
# Makes the key and the self-signed certificate of a report endpoint, without a network. Pods trust exactly this
# certificate, so no authority is needed.
#
#   deploy/report-tls.sh FOLDER NAME…        FOLDER/tls.crt and tls.key for these DNS names and addresses
#
# Existing files stay. DAYS (3650) sets how long the certificate is valid.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1
shift
if [ -e "$folder/tls.key" ]; then
  echo "kept $folder/tls.key: the file exists. Remove the file for a new key" >&2
  exit 0
fi
names=()
for name in "$@"; do
  case $name in
    *[!0-9.]*) names+=("DNS:$name") ;;
    *) names+=("IP:$name") ;;
  esac
done
mkdir -p "$folder"
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "${DAYS:-3650}" -subj "/CN=pop-report" \
  -addext "subjectAltName=$(IFS=,; echo "${names[*]}")" \
  -addext "basicConstraints=critical,CA:FALSE" -addext "keyUsage=critical,digitalSignature" \
  -addext "extendedKeyUsage=serverAuth" -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
chmod 644 "$folder/tls.crt"
echo "made $folder/tls.crt and tls.key"
