import { DomainError, type FieldFault, type Revocations } from '@packs/domain';

/**
 * Whoever revoked something has a reason that a kit of before does not know: keys that a kit brings take the place of others only together with all
 * that was revoked here, from the same time on or from earlier.
 * @throws DomainError ERR_PACK_TRUST_INVALID naming what the kit would take back
 */
export function requireRevocations(own: Revocations = {}, brought: Revocations = {}): void {
  const covers = (since: string | undefined, other: { readonly since?: string }) =>
    other.since === undefined || (since !== undefined && Date.parse(other.since) <= Date.parse(since));
  const keys = (own.keys ?? []).filter(({ keyId, since }) => !brought.keys?.some(other => other.keyId === keyId && covers(since, other)));
  const identities = (own.identities ?? []).filter(
    ({ issuer, identity, since }) =>
      !brought.identities?.some(other => other.issuer === issuer && other.identity === identity && covers(since, other)),
  );
  const digests = (own.digests ?? []).filter(({ digest }) => !brought.digests?.some(other => other.digest === digest));
  const errors: FieldFault[] = [
    ...keys.map(({ keyId }) => ({ field: 'trust', message: `key ${keyId} is revoked here` })),
    ...identities.map(({ identity, issuer }) => ({ field: 'trust', message: `${identity} of ${issuer} is revoked here` })),
    ...digests.map(({ digest }) => ({ field: 'trust', message: `${digest} is revoked here` })),
  ];
  if (errors.length === 0) return;
  throw new DomainError('ERR_PACK_TRUST_INVALID', "the kit's keys would take back what is revoked here", { errors });
}
