import {
  canonicalJson,
  isDigest,
  type Digest,
  type Revocations,
  type RevokedDigest,
  type RevokedIdentity,
  type RevokedKey,
} from '@packs/domain';
import { fault, line, list, members, optionalTime } from './trust-form';

const MAX_REVOCATIONS = 500;

const MAX_REASON = 200;
const MAX_NAME = 2048;

/**
 * `{keys?, identities?, digests?}` in the one order and spelling that a digest is made of; undefined when nothing is revoked.
 * @throws DomainError ERR_PACK_TRUST_INVALID with a pointer to the first fault
 */
export function parseRevocations(value: unknown, at: string): Revocations | undefined {
  if (value === undefined) return undefined;
  const { keys, identities, digests } = members(value, at, ['keys', 'identities', 'digests']);
  const revoked: Revocations = {
    ...ifAny(
      'keys',
      entries(keys, `${at}/keys`, parseKey, ({ keyId }) => keyId),
    ),
    ...ifAny('identities', entries(identities, `${at}/identities`, parseIdentity, identityKey)),
    ...ifAny(
      'digests',
      entries(digests, `${at}/digests`, parseDigest, ({ digest }) => digest),
    ),
  };
  return Object.keys(revoked).length > 0 ? revoked : undefined;
}

function identityKey({ issuer, identity }: RevokedIdentity): string {
  return canonicalJson([issuer, identity]);
}

function ifAny<Name extends string, T>(name: Name, found: readonly T[]): { readonly [N in Name]?: readonly T[] } {
  return found.length > 0 ? ({ [name]: found } as { readonly [N in Name]: readonly T[] }) : {};
}

function entries<T>(value: unknown, at: string, parse: (item: unknown, at: string) => T, keyOf: (entry: T) => string): readonly T[] {
  if (value === undefined) return [];
  const byKey = new Map<string, T>();
  for (const [index, item] of list(value, at, MAX_REVOCATIONS).entries()) {
    const entry = parse(item, `${at}/${index}`);
    if (byKey.has(keyOf(entry))) throw fault(`${at}/${index}`, `${at} has this twice`);
    byKey.set(keyOf(entry), entry);
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function parseKey(item: unknown, at: string): RevokedKey {
  const { keyId, since, reason } = members(item, at, ['keyId', 'since', 'reason']);
  return { keyId: digestOf(keyId, `${at}/keyId`), ...sinceOf(since, at), reason: line(reason, `${at}/reason`, MAX_REASON) };
}

function parseIdentity(item: unknown, at: string): RevokedIdentity {
  const { issuer, identity, since, reason } = members(item, at, ['issuer', 'identity', 'since', 'reason']);
  return {
    issuer: line(issuer, `${at}/issuer`, MAX_NAME),
    identity: line(identity, `${at}/identity`, MAX_NAME),
    ...sinceOf(since, at),
    reason: line(reason, `${at}/reason`, MAX_REASON),
  };
}

function parseDigest(item: unknown, at: string): RevokedDigest {
  const { digest, reason } = members(item, at, ['digest', 'reason']);
  return { digest: digestOf(digest, `${at}/digest`), reason: line(reason, `${at}/reason`, MAX_REASON) };
}

function digestOf(value: unknown, at: string): Digest {
  if (!isDigest(value)) throw fault(at, `${at} is not sha256:<64 hex digits>`);
  return value;
}

function sinceOf(value: unknown, at: string): { readonly since?: string } {
  const since = optionalTime(value, `${at}/since`);
  return since === undefined ? {} : { since };
}
