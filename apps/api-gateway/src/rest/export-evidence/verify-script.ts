/**
 * What an auditor runs over the files: a shell as POSIX has it, sha256sum, openssl and jq, nothing of ours. All that it is told of the evidence comes out
 * of CHECKS, line by line, and is only ever used between quotes.
 */
export const VERIFY_SCRIPT = String.raw`#!/bin/sh
# Usage: sh verify.sh [BUNDLE]
# Exit: 0 everything was checked and is good, 1 something is not, 2 nothing is wrong and something could not be checked.
set -u
LC_ALL=C
export LC_ALL
given=""
if [ $# -gt 0 ]; then given=$(cd "$(dirname "$1")" && pwd)/$(basename "$1"); fi
cd "$(dirname "$0")" || exit 1
tab=$(printf '\t')
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
wrong=0
left=0
ok() { printf 'ok     %s\n' "$*"; }
bad() { printf 'WRONG  %s\n' "$*"; wrong=1; }
unchecked() { printf 'left   %s\n' "$*"; left=1; }
hash_of() { sha256sum < "$1" | cut -d' ' -f1; }
for tool in sha256sum openssl jq; do
  command -v "$tool" > /dev/null || { echo "$tool is missing" >&2; exit 1; }
done

# Every file as it was written, none missing, none added.
if sha256sum --quiet --strict -c SHA256SUMS; then ok "SHA256SUMS"; else bad "files differ from SHA256SUMS"; fi
listed=$(wc -l < SHA256SUMS)
there=$(find . ! -type d ! -path ./SHA256SUMS | wc -l)
[ "$listed" -eq "$there" ] || bad "there are $there files and $listed are listed"

# Files that are named by their digest have it.
for file in verdicts/* policies/* trust/* roots/* signatures/* attestations/*; do
  [ -f "$file" ] || continue
  [ "$(hash_of "$file")" = "$(basename "$file" | cut -d. -f1)" ] || bad "$file is not what its name says"
done
for file in keys/*; do
  [ -f "$file" ] || continue
  id=$(openssl pkey -pubin -in "$file" -outform DER 2> /dev/null | sha256sum | cut -d' ' -f1)
  [ "$id" = "$(basename "$file" | cut -d. -f1)" ] || bad "$file is not the key its name says"
done
ok "digests of documents and keys"

# The version is one OCI manifest, which names its config and its bundle.
digest=$(jq -r .digest evidence.json | cut -d: -f2)
manifest=$(jq -r .manifestDigest evidence.json | cut -d: -f2)
[ "$(hash_of artifact/manifest.json)" = "$manifest" ] || bad "artifact/manifest.json is another manifest"
[ "$(jq -r .layers[0].digest artifact/manifest.json)" = "sha256:$digest" ] || bad "the manifest names another bundle"
[ "$(jq -r .config.digest artifact/manifest.json)" = "sha256:$(hash_of artifact/config.json)" ] || bad "the manifest names another config"
bundle=artifact/bundle.tar.gz
[ -z "$given" ] || bundle=$given
[ -z "$given" ] || [ -f "$given" ] || bad "$given is no file"
if [ -f "$bundle" ]; then
  [ "$(hash_of "$bundle")" = "$digest" ] || bad "$bundle is not the bundle"
else
  bundle=""
fi
ok "manifest sha256:$manifest"

# Verdicts lean on policies and trust material that are here.
jq -r '.verdicts[] | [.file, .policy // "-", .trust // "-"] | join(" ")' evidence.json > "$work/verdicts"
while read -r file policy trust; do
  [ "$policy" = - ] || [ -f "policies/$(printf %s "$policy" | cut -d: -f2).json" ] || unchecked "$file: its policy is not here"
  [ "$trust" = - ] || [ -f "trust/$(printf %s "$trust" | cut -d: -f2).json" ] || unchecked "$file: its trust material is not here"
done < "$work/verdicts"

# Audit entries hash to the leaves of the log (RFC 6962: SHA-256 of a zero byte and the entry).
exec 3< audit/entries.jsonl 4< audit/leaves.txt
while IFS= read -r entry <&3; do
  read -r seq leaf <&4 || leaf=missing
  [ "$({ printf '\000'; printf '%s' "$entry"; } | sha256sum | cut -d' ' -f1)" = "$leaf" ] || bad "audit entry $seq is not that of its leaf"
  [ "$(printf '%s' "$entry" | jq -r .seq)" = "$seq" ] || bad "audit entry $seq has another number"
done
exec 3<&- 4<&-
ok "audit entries"

# openssl_check SCHEME KEY SIGNATURE MESSAGE
openssl_check() {
  hash=$(printf %s "$1" | sed 's/.*-//')
  case $1 in
    ed25519) openssl pkeyutl -verify -pubin -inkey "$2" -rawin -sigfile "$3" -in "$4" ;;
    rsa-pss-*) openssl dgst "-$hash" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:auto -verify "$2" -signature "$3" "$4" ;;
    *) openssl dgst "-$hash" -verify "$2" -signature "$3" "$4" ;;
  esac > /dev/null 2>&1
}

# The in-toto statement of a DSSE envelope names the version.
names_version() {
  jq -e --arg bundle "$digest" --arg manifest "$manifest" \
    '[.subject[].digest.sha256] | any(. == $bundle or . == $manifest)' "$work/payload" > /dev/null
}

# envelope_check FILE KEY SCHEME: one of the signatures is by the key, over type and payload as DSSE joins them.
envelope_check() {
  jq -c '.dsseEnvelope // .' "$1" > "$work/envelope"
  jq -r .payload "$work/envelope" | base64 -d > "$work/payload" || return 1
  type=$(jq -r .payloadType "$work/envelope")
  { printf 'DSSEv1 %d %s %d ' "$(printf %s "$type" | wc -c)" "$type" "$(wc -c < "$work/payload")"; cat "$work/payload"; } > "$work/message"
  jq -r '.signatures[].sig' "$work/envelope" > "$work/sigs"
  while read -r sig; do
    printf %s "$sig" | base64 -d > "$work/sig"
    if openssl_check "$3" "$2" "$work/sig" "$work/message"; then
      names_version
      return
    fi
  done < "$work/sigs"
  return 1
}

# bytes_check SCHEME KEY: the signature is over the bundle, or over the manifest.
bytes_check() {
  if openssl_check "$1" "$2" "$work/sig" artifact/manifest.json; then return 0; fi
  [ -n "$bundle" ] || return 2
  openssl_check "$1" "$2" "$work/sig" "$bundle"
}

# simple_check FILE KEY SCHEME: a text that names the manifest, and its signature.
simple_check() {
  jq -r .payload "$1" | base64 -d > "$work/message" || return 1
  jq -r .signature "$1" | base64 -d > "$work/sig" || return 1
  openssl_check "$3" "$2" "$work/sig" "$work/message" || return 1
  [ "$(jq -r '.critical.image."docker-manifest-digest"' "$work/message")" = "sha256:$manifest" ]
}

# key_check FILE KEY SCHEME
key_check() {
  case $1 in
    *.sig)
      # As it is, or as base64 text.
      if [ -z "$(LC_ALL=C tr -d 'A-Za-z0-9+/=\r\n' < "$1" | head -c 1 | od -An -tx1)" ]; then
        tr -d '\r\n' < "$1" | base64 -d > "$work/sig" || return 1
      else
        cp "$1" "$work/sig"
      fi
      bytes_check "$3" "$2"
      ;;
    *.simple.json) simple_check "$1" "$2" "$3" ;;
    *)
      if jq -e '.messageSignature' "$1" > /dev/null; then
        jq -r .messageSignature.signature "$1" | base64 -d > "$work/sig"
        bytes_check "$3" "$2"
      else
        envelope_check "$1" "$2" "$3"
      fi
      ;;
  esac
}

# cosign_check FILE OPTION...: with cosign's own eyes, over whatever was signed.
cosign_check() {
  file=$1
  shift
  if jq -e '.messageSignature' "$file" > /dev/null; then
    if cosign verify-blob --bundle "$file" "$@" artifact/manifest.json > /dev/null 2>&1; then return 0; fi
    [ -n "$bundle" ] || return 2
    cosign verify-blob --bundle "$file" "$@" "$bundle" > /dev/null 2>&1
    return
  fi
  jq -r .dsseEnvelope.payload "$file" | base64 -d > "$work/payload" || return 1
  names_version || return 1
  type=$(jq -r .predicateType "$work/payload")
  for subject in "$digest" "$manifest"; do
    if cosign verify-blob-attestation --bundle "$file" --type "$type" --digest "$subject" --digestAlg sha256 "$@" > /dev/null 2>&1; then
      return 0
    fi
  done
  return 1
}

report() {
  case $1 in
    0) ok "$2" ;;
    2) unchecked "$2: the bundle is not here; give its path as argument" ;;
    *) bad "$2" ;;
  esac
}

with_cosign=no
if command -v cosign > /dev/null; then with_cosign=yes; fi
while IFS="$tab" read -r kind file by first second <&5; do
  case $kind in
    key)
      key_check "$file" "$by" "$first"
      report $? "$file, signed by $by"
      case $with_cosign$file$first in
        yes*.sigstore.jsonecdsa-*)
          cosign_check "$file" --key "$by" --insecure-ignore-tlog=true
          report $? "$file, signed by $by, says cosign"
          ;;
      esac
      ;;
    certificate)
      if [ "$with_cosign" = no ]; then
        unchecked "$file, signed by $first: cosign is not installed"
        continue
      fi
      result=1
      for root in $by; do
        cosign_check "$file" --trusted-root "$root" --certificate-identity "$first" --certificate-oidc-issuer "$second"
        result=$?
        [ "$result" -eq 1 ] || break
      done
      report "$result" "$file, signed by $first as $second vouches, says cosign"
      ;;
  esac
done 5< CHECKS

# A signature that CHECKS does not name was checked by nobody.
cut -f2 CHECKS > "$work/named"
for file in signatures/*; do
  [ -f "$file" ] || continue
  grep -qxF "$file" "$work/named" || unchecked "$file: CHECKS does not say who made it"
done

[ "$wrong" -eq 0 ] || { echo "NOT GOOD"; exit 1; }
[ "$left" -eq 0 ] || { echo "GOOD AS FAR AS IT WAS CHECKED"; exit 2; }
echo "GOOD"
`;
