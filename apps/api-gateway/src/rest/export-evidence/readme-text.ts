/** For somebody who has this file and nothing of ours. */
export const README_TEXT = `Evidence of one version of a pack
=================================

What the registry knows about one version: what it is, who signed it, what is attested about it, by what policy and
under what trust it was accepted, and what became of it. Everything here is the bytes that were judged.

To check all of it, without a network:

    sh verify.sh [BUNDLE]

It needs a POSIX shell, sha256sum, openssl and jq; signatures with certificates need cosign as well. BUNDLE is the
bundle, where it is not in this file as artifact/bundle.tar.gz. It says what it found, line by line, and ends with
0 (all of it is good), 1 (something is not) or 2 (nothing is wrong, and something could not be checked).

By hand:

    sha256sum -c SHA256SUMS
    openssl dgst -sha256 -verify keys/KEY.pem -signature SIGNATURE artifact/bundle.tar.gz
    cosign verify-blob --key keys/KEY.pem --insecure-ignore-tlog=true --bundle signatures/S.sigstore.json artifact/bundle.tar.gz
    jq -r .dsseEnvelope.payload attestations/A.sigstore.json | base64 -d | jq .

Files
-----

evidence.json            what is here, and how the parts belong together
artifact/manifest.json   the OCI manifest: its SHA-256 is the version's identity
artifact/config.json     pack.yaml as JSON
artifact/bundle.tar.gz   the bundle, if it was asked for; its digest is in evidence.json
signatures/, attestations/
                         documents, each named by its SHA-256. Attestations that are not verified are named in
                         evidence.json and not here; contested ones are here
verdicts/                why the version and the attestations were accepted: RFC 8785 JSON, named by its hash
policies/, trust/        what those verdicts lean on, named by the digests that they have there
keys/                    the public keys of that trust material, named by the SHA-256 of the SubjectPublicKeyInfo
roots/                   its sigstore trusted roots (trusted_root.json)
audit/entries.jsonl      the tenant's audit entries about the version, one a line, in their order
audit/leaves.txt         the number and the leaf hash of each: SHA-256 of a zero byte and the entry, RFC 6962
CHECKS                   which document is to be good by which key, or which identity
SHA256SUMS               of every other file
verify.sh                does all of the above

An archive of the same state is the same bytes. That this evidence was given out is in the audit log, and not here.
`;
