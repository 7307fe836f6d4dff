import { sha256, type Digest, type TrustMaterial } from '@packs/domain';
import { keyIdOf } from './public-key';
import { authorityIdsOf, trustedRootsOf } from './trusted-root';

/** A part of trust material whose time ends. */
export interface EndingPart {
  readonly kind: 'key' | 'certificate-authority' | 'timestamp-authority' | 'log' | 'bundle';
  readonly name: string;
  /** RFC 3339. */
  readonly at: string;
}

/** An end that a trusted root does not give is further away than any date. */
const NEVER = 8_640_000_000_000_000;

/** Each part with an end, the next first. A part of a root whose time was over at `now` has been replaced by another, and is left out. */
export function trustEndings(material: TrustMaterial, now: Date): EndingPart[] {
  const keys = material.keys.flatMap(({ name, notAfter }): EndingPart[] =>
    notAfter === undefined ? [] : [{ kind: 'key', name, at: notAfter }],
  );
  const roots = trustedRootsOf(material).flatMap(({ material: root }) => [
    ...root.certificateAuthorities.map(authority => ofAuthority('certificate-authority', authority)),
    ...root.timestampAuthorities.map(authority => ofAuthority('timestamp-authority', authority)),
    ...[...root.tlogs, ...root.ctlogs].map(({ logID, validFor }) => ending('log', logID.toString('base64'), [validFor.end])),
  ]);
  const ahead = roots.filter(end => end !== undefined).filter(end => new Date(end.at) > now);
  return [...keys, ...ahead].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.name < b.name ? -1 : 1));
}

type Authority = ReturnType<typeof trustedRootsOf>[number]['material']['certificateAuthorities'][number];

function ofAuthority(kind: EndingPart['kind'], { certChain, validFor }: Authority): EndingPart | undefined {
  const [first] = certChain;
  return first && ending(kind, sha256(first.publicKey), [validFor.end, ...certChain.map(({ notAfter }) => notAfter)]);
}

function ending(kind: EndingPart['kind'], name: string, ends: readonly Date[]): EndingPart | undefined {
  const first = Math.min(...ends.map(end => end.getTime()));
  return first >= NEVER ? undefined : { kind, name, at: new Date(first).toISOString() };
}

/** The moments at which the same material says something else: a key begins or ends to count. */
export function trustEdges({ keys }: TrustMaterial): Date[] {
  // What counts until a moment still counts in it.
  const ends = keys.flatMap(({ notAfter }) => (notAfter === undefined ? [] : [new Date(Date.parse(notAfter) + 1)]));
  const starts = keys.flatMap(({ notBefore }) => (notBefore === undefined ? [] : [new Date(notBefore)]));
  return [...starts, ...ends].toSorted((a, b) => a.getTime() - b.getTime());
}

/** Keys and authorities whose signatures count at this moment, by their ids. */
export function countingKeyIds(material: TrustMaterial, at: Date): Digest[] {
  const revoked = new Set(material.revoked?.keys?.map(({ keyId }) => keyId));
  const now = at.toISOString();
  const keys = material.keys.filter(({ notBefore = now, notAfter = now }) => notBefore <= now && now <= notAfter);
  return [...keys.map(keyIdOf), ...authorityIdsOf(material)].filter(keyId => !revoked.has(keyId));
}
