import {
  canonicalJson,
  DomainError,
  isName,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  type TrustedKey,
  type TrustMaterial,
} from '@packs/domain';
import { KEY_TYPE_OF_SCHEME, loadKey, parsePublicKey, type KeyType } from './public-key';
import { parseRevocations } from './revocation-list';
import { JsonFault, parseStrictJson } from './strict-json';
import { fault, members, optionalTime } from './trust-form';
import { parseTrustedRoot } from './trusted-root';

export const MAX_TRUSTED_KEYS = 64;
const MAX_TRUSTED_ROOTS = 4;

const KEY_NAME_MAX = 64;
const MAX_MATERIAL_BYTES = 512 * 1024;

const DEFAULT_SCHEME: Readonly<Record<KeyType, SignatureScheme>> = {
  rsa: 'rsa-pkcs1-sha256',
  p256: 'ecdsa-p256-sha256',
  p384: 'ecdsa-p384-sha384',
  ed25519: 'ed25519',
};

/**
 * The key of a SubjectPublicKeyInfo PEM, in its canonical form and bound to one scheme.
 * @throws DomainError ERR_PACK_TRUST_INVALID with a pointer to `name`, `publicKey` or `scheme`
 */
export function trustedKeyFromPem(name: string, pem: string, scheme?: SignatureScheme, window: KeyWindow = {}): TrustedKey {
  if (!isName(name, KEY_NAME_MAX)) throw fault('/name', `a key name is lower-case words of at most ${KEY_NAME_MAX} characters`);
  const { type, pem: publicKey } = parsePublicKey(pem);
  const chosen = scheme === undefined ? DEFAULT_SCHEME[type] : scheme;
  if (!SIGNATURE_SCHEMES.includes(chosen)) throw fault('/scheme', `a scheme is one of ${SIGNATURE_SCHEMES.join(', ')}`);
  if (KEY_TYPE_OF_SCHEME[chosen] !== type) throw fault('/scheme', `scheme ${chosen} does not fit the type of the key`);
  const key: TrustedKey = Object.freeze({ name, publicKey, scheme: chosen, ...parseWindow(window) });
  loadKey(key);
  return key;
}

/** From when until when a key counts, both included. */
export type KeyWindow = Pick<TrustedKey, 'notBefore' | 'notAfter'>;

function parseWindow(window: { readonly [Bound in keyof KeyWindow]?: unknown }): KeyWindow {
  const notBefore = optionalTime(window.notBefore, '/notBefore');
  const notAfter = optionalTime(window.notAfter, '/notAfter');
  if (notBefore !== undefined && notAfter !== undefined && notAfter <= notBefore)
    throw fault('/notAfter', 'notAfter does not come after notBefore');
  return { ...(notBefore !== undefined && { notBefore }), ...(notAfter !== undefined && { notAfter }) };
}

/**
 * `{keys: [{name, publicKey, scheme?, notBefore?, notAfter?}], trustedRoots?: [trusted_root.json], revoked?: {keys?, identities?, digests?}}` as
 * checked trust material, sorted so that what is trusted has one digest.
 * @throws DomainError ERR_PACK_TRUST_INVALID with a pointer to the first fault
 */
export function parseTrustMaterial(json: unknown): TrustMaterial {
  const { keys: list, trustedRoots, revoked } = members(json, '', ['keys', 'trustedRoots', 'revoked']);
  if (!Array.isArray(list)) throw fault('/keys', 'keys is not an array');
  if (list.length > MAX_TRUSTED_KEYS) throw fault('/keys', `trust material has at most ${MAX_TRUSTED_KEYS} keys`);
  const keys = list.map((item, index) => parseKey(item, `/keys/${index}`));
  refuseDuplicates(keys);
  const roots = parseRoots(trustedRoots);
  const revocations = parseRevocations(revoked, '/revoked');
  return {
    keys: keys.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ...(roots.length > 0 && { trustedRoots: roots }),
    ...(revocations && { revoked: revocations }),
  };
}

function parseRoots(list: unknown): readonly string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw fault('/trustedRoots', 'trustedRoots is not an array');
  if (list.length > MAX_TRUSTED_ROOTS) throw fault('/trustedRoots', `trust material has at most ${MAX_TRUSTED_ROOTS} trusted roots`);
  const roots = list.map((root, index) => parseRoot(root, `/trustedRoots/${index}`));
  if (new Set(roots).size < roots.length) throw fault('/trustedRoots', 'a trusted root is listed twice');
  return roots.toSorted();
}

/** Its one text: whatever a root says is part of what is trusted, and so of the digest. */
function parseRoot(root: unknown, at: string): string {
  if (typeof root !== 'object' || root === null) throw fault(at, `${at} is not a sigstore trusted root`);
  const text = canonicalJson(root);
  try {
    parseTrustedRoot(Buffer.from(text));
  } catch (error) {
    throw error instanceof DomainError ? fault(`${at}${error.errors[0]?.pointer ?? ''}`, error.message) : error;
  }
  return text;
}

/** The bytes trust material is stored as: RFC 8785 JSON. @throws DomainError ERR_PACK_TRUST_INVALID when they are too many */
export function encodeTrustMaterial(material: TrustMaterial): Buffer {
  const bytes = Buffer.from(canonicalJson(trustMaterialJson(material)));
  if (bytes.length > MAX_MATERIAL_BYTES) throw fault('', `trust material has at most ${MAX_MATERIAL_BYTES} bytes`);
  return bytes;
}

/** Without members that say nothing: material that was stored before there were such members keeps its digest. */
export function trustMaterialJson({ keys, trustedRoots, revoked }: TrustMaterial): Readonly<Record<string, unknown>> {
  return {
    keys: keys.map(({ name, publicKey, scheme, notBefore, notAfter }) => ({
      ...{ name, publicKey, scheme },
      ...(notBefore !== undefined && { notBefore }),
      ...(notAfter !== undefined && { notAfter }),
    })),
    ...(trustedRoots && { trustedRoots: trustedRoots.map((text): unknown => JSON.parse(text)) }),
    ...(revoked && { revoked }),
  };
}

/** @throws DomainError ERR_PACK_TRUST_INVALID */
export function readTrustMaterial(bytes: Uint8Array): TrustMaterial {
  try {
    return parseTrustMaterial(parseStrictJson(bytes, { maxBytes: MAX_MATERIAL_BYTES, maxDepth: 8 }));
  } catch (error) {
    throw error instanceof JsonFault ? fault('', `trust material is ${error.message}`) : error;
  }
}

/**
 * Keys alone, for what knows neither times nor revocations: better refused than not looked at.
 * @throws DomainError ERR_PACK_TRUST_INVALID
 */
export function readKeyList(bytes: Uint8Array): readonly TrustedKey[] {
  const { keys, trustedRoots, revoked } = readTrustMaterial(bytes);
  if (trustedRoots) throw fault('/trustedRoots', 'there is room for keys alone');
  if (revoked) throw fault('/revoked', 'there is room for keys alone: take out those that are revoked');
  const timed = keys.findIndex(({ notBefore, notAfter }) => notBefore !== undefined || notAfter !== undefined);
  if (timed >= 0) throw fault(`/keys/${timed}`, 'these keys have no times');
  return keys;
}

function parseKey(item: unknown, at: string): TrustedKey {
  const { name, publicKey, scheme, notBefore, notAfter } = members(item, at, ['name', 'publicKey', 'scheme', 'notBefore', 'notAfter']);
  if (typeof name !== 'string') throw fault(`${at}/name`, 'name is not a string');
  if (typeof publicKey !== 'string') throw fault(`${at}/publicKey`, 'publicKey is not a string');
  try {
    return trustedKeyFromPem(name, publicKey, scheme as SignatureScheme | undefined, { notBefore, notAfter } as KeyWindow);
  } catch (error) {
    throw error instanceof DomainError ? fault(`${at}${error.errors[0]?.pointer ?? ''}`, error.message) : error;
  }
}

function refuseDuplicates(keys: readonly TrustedKey[]): void {
  const names = new Set<string>();
  const ids = new Set<string>();
  for (const [index, key] of keys.entries()) {
    const { keyId } = loadKey(key);
    if (names.has(key.name)) throw fault(`/keys/${index}/name`, `two keys have the name ${key.name}`);
    if (ids.has(keyId)) throw fault(`/keys/${index}/publicKey`, `the key ${keyId} is listed twice`);
    names.add(key.name);
    ids.add(keyId);
  }
}
