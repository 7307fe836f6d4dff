import { dsse } from '@sigstore/core';
import { canonicalJson, DomainError, sha256, type Digest, type ErrorCode, type TrustedKey, type TrustMaterial } from '@packs/domain';
import { dsseEnvelope } from './dsse-envelope';
import { loadKey } from './public-key';
import { SignatureFault } from './signature-fault';
import { fits, verifyMessage } from './signature-scheme';
import type { SignedEnvelope } from './signed-content';
import { JsonFault, parseStrictJson } from './strict-json';
import { members, time } from './trust-form';
import { parseTrustMaterial } from './trust-material';

export const TRUST_BUNDLE_PAYLOAD_TYPE = 'application/vnd.stellaops.trust-bundle.v1+json';
export const MAX_TRUST_BUNDLE_BYTES = 1024 * 1024;
/** Of a bundle that any tenant may import. */
export const ANY_TENANT = '*';

const SCHEMA = 'stellaops.io/trust-bundle.v1';
/** An envelope has at most eight signatures: a change of all root keys is signed by the old ones and the new ones. */
const MAX_ROOT_KEYS = 8;
const PAYLOAD_LIMITS = { maxBytes: MAX_TRUST_BUNDLE_BYTES, maxDepth: 10 };
const TENANT = /^(?:\*|[a-z0-9]+(?:[._-][a-z0-9]+)*)$/;

/** Who may say what is trusted next: as many of these keys have to sign as the threshold says. */
export interface TrustBundleRoot {
  readonly keys: readonly TrustedKey[];
  readonly threshold: number;
}

/** Trust material as its owners hand it out: in a file, in versions, for a time. */
export interface TrustBundle {
  readonly tenant: string;
  readonly version: number;
  readonly validFrom: string;
  readonly validUntil: string;
  readonly root: TrustBundleRoot;
  readonly material: TrustMaterial;
}

export interface SignedTrustBundle {
  readonly bundle: TrustBundle;
  /** SHA-256 of the payload: of what is signed, whoever signs it. */
  readonly digest: Digest;
  readonly envelope: SignedEnvelope;
}

/** @throws DomainError ERR_TRUST_BUNDLE_INVALID, or ERR_PACK_TRUST_INVALID for what is in it */
export function readTrustBundle(file: Uint8Array): SignedTrustBundle {
  try {
    const envelope = dsseEnvelope(parseStrictJson(file, { maxBytes: 2 * MAX_TRUST_BUNDLE_BYTES, maxDepth: 4 }), '');
    if (envelope.payloadType !== TRUST_BUNDLE_PAYLOAD_TYPE)
      throw malformed('/payloadType', `the payload type is not ${TRUST_BUNDLE_PAYLOAD_TYPE}`);
    return { bundle: parseTrustBundle(parseStrictJson(envelope.payload, PAYLOAD_LIMITS)), digest: sha256(envelope.payload), envelope };
  } catch (error) {
    if (error instanceof JsonFault) throw malformed('', `the trust bundle is ${error.message}`);
    throw error instanceof SignatureFault ? malformed('', error.message) : error;
  }
}

/** What is to be signed. @throws DomainError ERR_TRUST_BUNDLE_INVALID, or ERR_PACK_TRUST_INVALID for what is in it */
export function parseTrustBundle(json: unknown): TrustBundle {
  const { schema, tenant, version, validFrom, validUntil, root, material } = members(json, '', [
    ...['schema', 'tenant', 'version', 'validFrom', 'validUntil', 'root', 'material'],
  ]);
  if (schema !== SCHEMA) throw malformed('/schema', `the schema is not ${SCHEMA}`);
  if (typeof tenant !== 'string' || tenant.length > 64 || !TENANT.test(tenant))
    throw malformed('/tenant', 'tenant is neither a tenant nor *');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw malformed('/version', 'version is not a number from 1 on');
  const [from, until] = [time(validFrom, '/validFrom'), time(validUntil, '/validUntil')];
  if (until <= from) throw malformed('/validUntil', 'validUntil does not come after validFrom');
  return {
    tenant,
    version,
    validFrom: from,
    validUntil: until,
    root: parseRoot(root),
    material: within('/material', () => parseTrustMaterial(material)),
  };
}

function parseRoot(value: unknown): TrustBundleRoot {
  const { keys: listed, threshold } = members(value, '/root', ['keys', 'threshold']);
  const { keys } = within('/root', () => parseTrustMaterial({ keys: listed }));
  if (keys.length === 0 || keys.length > MAX_ROOT_KEYS) throw malformed('/root/keys', `a root has 1 to ${MAX_ROOT_KEYS} keys`);
  if (keys.some(({ notBefore, notAfter }) => notBefore !== undefined || notAfter !== undefined))
    throw malformed('/root/keys', 'root keys have no times: a bundle has');
  if (typeof threshold !== 'number' || !Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys.length)
    throw malformed('/root/threshold', 'threshold is not a number from 1 to that of the keys');
  return { keys, threshold };
}

function within<T>(at: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const errors = error.errors.map(fault => ({ ...fault, pointer: `${at}${fault.pointer ?? ''}` }));
    throw new DomainError(error.code, error.message, { errors });
  }
}

/** What a bundle is to replace: the one in force, or a root alone that was handed over by other means. */
export interface TrustBundleBasis {
  readonly tenant: string;
  readonly now: Date;
  readonly previous?: Pick<TrustBundle, 'root'> & Partial<Pick<TrustBundle, 'version'>>;
}

/**
 * That this bundle may take the place of the one before: by its owners, old and new, newer, and within its time.
 * @throws DomainError ERR_TRUST_BUNDLE_TENANT, _UNSIGNED, _ROLLBACK, _EXPIRED, _EARLY
 */
export function requireSuccessor(signed: SignedTrustBundle, { tenant, now, previous }: TrustBundleBasis): void {
  const { bundle } = signed;
  if (bundle.tenant !== ANY_TENANT && bundle.tenant !== tenant)
    throw refused('ERR_TRUST_BUNDLE_TENANT', '/tenant', `the bundle is for ${bundle.tenant}`);
  requireSigned(signed, bundle.root, 'its own root keys');
  if (previous) requireSigned(signed, previous.root, 'the root keys of the bundle before it');
  if (previous?.version !== undefined && bundle.version <= previous.version)
    throw refused('ERR_TRUST_BUNDLE_ROLLBACK', '/version', `version ${bundle.version} does not come after ${previous.version}`);
  if (now > new Date(bundle.validUntil))
    throw refused('ERR_TRUST_BUNDLE_EXPIRED', '/validUntil', `the bundle was valid until ${bundle.validUntil}`);
  if (now < new Date(bundle.validFrom))
    throw refused('ERR_TRUST_BUNDLE_EARLY', '/validFrom', `the bundle is valid from ${bundle.validFrom} on`);
}

function requireSigned({ envelope }: SignedTrustBundle, { keys, threshold }: TrustBundleRoot, whose: string): void {
  const message = dsse.preAuthEncoding(envelope.payloadType, envelope.payload);
  const signers = keys
    .map(loadKey)
    .filter(key => envelope.signatures.some(signature => fits(key, signature) && verifyMessage(key, message, signature)));
  if (signers.length < threshold)
    throw refused('ERR_TRUST_BUNDLE_UNSIGNED', '/signatures', `${signers.length} of ${whose} signed, and ${threshold} have to`);
}

/** The file with further signatures: an envelope in its one spelling. */
export function encodeTrustBundle(payload: Uint8Array, signatures: readonly Buffer[]): Buffer {
  return Buffer.from(
    canonicalJson({
      payload: Buffer.from(payload).toString('base64'),
      payloadType: TRUST_BUNDLE_PAYLOAD_TYPE,
      signatures: signatures.map(signature => ({ sig: signature.toString('base64') })),
    }),
  );
}

/** What a root key signs. */
export function trustBundleMessage(payload: Uint8Array): Buffer {
  return dsse.preAuthEncoding(TRUST_BUNDLE_PAYLOAD_TYPE, Buffer.from(payload));
}

function malformed(pointer: string, message: string): DomainError {
  return refused('ERR_TRUST_BUNDLE_INVALID', pointer, message);
}

function refused(code: ErrorCode, pointer: string, message: string): DomainError {
  return new DomainError(code, message, { errors: [{ pointer, message }] });
}
