import { createPublicKey, type KeyObject } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { decodeBase64 } from './canonical-base64';
import { memberAt } from './json-member';
import { invalid } from './signature-fault';
import { JsonFault, parseStrictJson } from './strict-json';

/** Who made the signature: the certificate's bytes, or a key. */
export type LoggedSigner = { readonly certificate: Buffer } | { readonly key: KeyObject };

/** Entries of `intoto` hold the whole payload, in base64 twice. */
const LIMITS = { maxBytes: 8 * 1024 * 1024, maxDepth: 16 };
const PEM = /^-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END (?:CERTIFICATE|PUBLIC KEY)-----(?:\r?\n)*$/;

/** Where each kind of entry names who signed: in PEM as base64 (Rekor v1), or in DER (Rekor v2). */
const SIGNER_OF: Readonly<Record<string, (spec: unknown) => Buffer | undefined>> = {
  'hashedrekord/0.0.1': spec => fromPem(memberAt(spec, 'signature', 'publicKey', 'content')),
  'hashedrekord/0.0.2': spec => fromVerifier(memberAt(spec, 'hashedRekordV002', 'signature', 'verifier')),
  'dsse/0.0.1': spec => fromPem(memberAt(spec, 'signatures', '0', 'verifier')),
  'dsse/0.0.2': spec => fromVerifier(memberAt(spec, 'dsseV002', 'signatures', '0', 'verifier')),
  'intoto/0.0.2': spec => fromPem(memberAt(spec, 'content', 'envelope', 'signatures', '0', 'publicKey')),
};

/**
 * That a log entry names this signer: the library compares signature and digest, and not who signed.
 * @throws SignatureFault
 */
export function requireLoggedSigner(
  { kindVersion: { kind, version }, canonicalizedBody }: TransparencyLogEntry,
  signer: LoggedSigner,
): void {
  const name = `${kind}/${version}`;
  const read = Object.hasOwn(SIGNER_OF, name) ? SIGNER_OF[name] : undefined;
  if (!read) throw invalid('the log entry is of a kind that is not known', 'document-unsupported');
  const logged = read(memberAt(parse(canonicalizedBody), 'spec'));
  if (!logged || !isOf(logged, signer)) throw invalid('the log entry is about a signature of another signer', 'log-entry-mismatch');
}

function isOf(logged: Buffer, signer: LoggedSigner): boolean {
  if ('certificate' in signer) return logged.equals(signer.certificate);
  try {
    return createPublicKey({ key: logged, format: 'der', type: 'spki' }).equals(signer.key);
  } catch {
    return false;
  }
}

function parse(body: Buffer): unknown {
  try {
    return parseStrictJson(body, LIMITS);
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the body of a log entry is ${error.message}`, 'log-entry-mismatch') : error;
  }
}

function fromVerifier(verifier: unknown): Buffer | undefined {
  const bytes = memberAt(verifier, 'x509Certificate', 'rawBytes') ?? memberAt(verifier, 'publicKey', 'rawBytes');
  return typeof bytes === 'string' ? decodeBase64(bytes) : undefined;
}

function fromPem(encoded: unknown): Buffer | undefined {
  const pem = typeof encoded === 'string' ? decodeBase64(encoded)?.toString('latin1') : undefined;
  return pem === undefined ? undefined : derOfPem(pem);
}

/** The DER of the one block of a PEM text. */
export function derOfPem(pem: string): Buffer | undefined {
  const [, body] = PEM.exec(pem) ?? [];
  return body === undefined ? undefined : decodeBase64(body.replace(/[\r\n]/g, ''));
}
