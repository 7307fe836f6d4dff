import { DomainError, type Principal } from '@packs/domain';
import type { RegistryToken } from '@packs/ports';
import { FixedClock } from '@packs/testing';
import { challengeError } from '../caller';
import { ClearProofs, ClearTokens, KnownTokens, RememberedProofs } from './auth.fixture';
import { Proofs } from './proofs';
import { TokenAuthenticator } from './token-authenticator';

const URL = '/v2/acme/tool/manifests/1.0.0';

describe('TokenAuthenticator', () => {
  let clock: FixedClock;
  let authority: KnownTokens;
  let own: ClearTokens;
  let door: TokenAuthenticator;
  beforeEach(() => {
    clock = new FixedClock();
    authority = new KnownTokens();
    own = new ClearTokens();
    door = new TokenAuthenticator(authority, own, new Proofs(new ClearProofs(), new RememberedProofs()), clock, 'https://packs.test');
  });
  const inSeconds = (seconds: number): number => clock.now().getTime() / 1000 + seconds;
  const principal = (changes: Partial<Principal> = {}): Principal => ({
    ...{ subject: 'alice', actor: 'user:alice', tenant: 'acme', scopes: ['packs.read', 'packs.write'], expiresAt: inSeconds(3600) },
    ...changes,
  });
  const issue = (changes: Partial<RegistryToken> = {}) =>
    own.issue({
      ...{ tenant: 'acme', subject: 'ci', actor: 'client:ci', writes: false, keyThumbprint: null, expiresAt: inSeconds(300) },
      access: [{ type: 'repository', name: 'acme/tool', actions: ['pull', 'push'] }],
      ...changes,
    });
  const enter = (authorization?: string, dpop?: string, url = URL) =>
    door.authenticate({ method: 'GET', url, headers: { host: 'elsewhere', authorization, dpop } });
  async function refusal(...request: Parameters<typeof enter>): Promise<unknown> {
    const error = await enter(...request).catch((thrown: unknown) => thrown);
    return error instanceof DomainError && error.code === 'ERR_PACK_AUTHENTICATION' ? (challengeError(error) ?? 'no error') : error;
  }

  it('lets a principal do what its scopes allow', async () => {
    authority.principals.set('a.b.c', principal());
    const caller = await enter('Bearer a.b.c');
    expect(caller).toMatchObject({ tenant: 'acme', actor: 'user:alice', mayListCatalog: true });
    expect(caller.may('pull', 'globex', 'tool')).toBe(true);
    expect([caller.may('push', 'acme', 'tool'), caller.may('delete', 'acme', 'tool')]).toEqual([true, true]);
    expect([caller.may('push', 'globex', 'tool'), caller.may('delete', 'globex', 'tool')]).toEqual([false, false]);
    authority.principals.set('a.b.d', principal({ scopes: ['packs.run'] }));
    const other = await enter('bearer a.b.d');
    expect([other.may('pull', 'acme', 'tool'), other.may('push', 'acme', 'tool'), other.mayListCatalog]).toEqual([false, false, false]);
  });

  it('lets a registry token do what it was given for, and nothing beside it', async () => {
    const caller = await enter(`Bearer ${await issue()}`);
    expect(caller).toMatchObject({ tenant: 'acme', actor: 'client:ci', mayListCatalog: false });
    expect([caller.may('pull', 'acme', 'tool'), caller.may('push', 'acme', 'tool')]).toEqual([true, true]);
    expect(caller.may('delete', 'acme', 'tool')).toBe(false);
    expect([caller.may('pull', 'acme', 'tool2'), caller.may('pull', 'acme', 'tool/deep'), caller.may('pull', 'globex', 'tool')]).toEqual([
      false,
      false,
      false,
    ]);
    const catalog = await enter(`Bearer ${await issue({ tenant: null, access: [{ type: 'registry', name: 'catalog', actions: ['*'] }] })}`);
    expect([catalog.tenant, catalog.mayListCatalog, catalog.may('pull', 'acme', 'tool')]).toEqual([null, true, false]);
  });

  it('knows who could write, whatever their token is for', async () => {
    authority.principals.set('a.b.c', principal());
    authority.principals.set('a.b.d', principal({ scopes: ['packs.read'] }));
    const access = [{ type: 'repository', name: 'acme/tool', actions: ['pull'] }] as const;
    const tokens = [
      'a.b.c',
      'a.b.d',
      await issue({ access, writes: true }),
      await issue({ access }),
      await issue({ tenant: null, access }),
    ];
    const callers = await Promise.all(tokens.map(token => enter(`Bearer ${token}`)));
    expect(callers.map(caller => caller.writesIn('acme'))).toEqual([true, false, true, false, false]);
    expect(callers.map(caller => caller.writesIn('globex'))).toEqual([false, false, false, false, false]);
  });

  it('says what is wrong with credentials, and that none are no fault', async () => {
    expect(await refusal(undefined)).toBe('no error');
    for (const header of ['', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer "x"', 'Basic YTpi', 'Bearer unknown', 'Bearer own-9']) {
      expect([header, await refusal(header)]).toEqual([header, 'invalid_token']);
    }
  });

  it('passes on what is no fault of the token', async () => {
    authority.verify = () => Promise.reject(new DomainError('ERR_PACK_UNAVAILABLE', 'away', { retry: 'later' }));
    expect(await refusal('Bearer a.b.c')).toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
  });

  it('checks a signature once, until the token ends', async () => {
    const token = await issue();
    for (let at = 0; at < 3; at++) await enter(`Bearer ${token}`);
    expect(own.verified).toBe(1);
    clock.advance(300_000);
    await enter(`Bearer ${token}`);
    expect(own.verified).toBe(2);
  });

  it('checks a token of the Authority again after five minutes, and at its end', async () => {
    authority.principals.set('long', principal()).set('short', principal({ expiresAt: inSeconds(60) }));
    const verifiedAfter = async (ms: number) => {
      clock.advance(ms);
      for (const token of ['long', 'short', 'long', 'short']) await enter(`Bearer ${token}`);
      return authority.verified;
    };
    expect(await verifiedAfter(0)).toBe(2);
    expect(await verifiedAfter(59_000)).toBe(2);
    expect(await verifiedAfter(1_000)).toBe(4);
    authority.principals.set('short', principal({ expiresAt: inSeconds(3600) }));
    expect(await verifiedAfter(240_000)).toBe(6);
    authority.principals.delete('long');
    expect(await refusal('Bearer long')).toMatchObject({ tenant: 'acme' });
    clock.advance(300_000);
    expect(await refusal('Bearer long')).toBe('invalid_token');
  });

  it('remembers no refusal', async () => {
    expect(await refusal('Bearer later')).toBe('invalid_token');
    authority.principals.set('later', principal());
    expect(await enter('Bearer later')).toMatchObject({ tenant: 'acme' });
  });

  describe('with a token that is bound to a key', () => {
    const proof = (id: string, token: string, { key = 'a-key', url = URL } = {}) => `${key} ${id} GET https://packs.test${url} ${token}`;

    it('wants a proof with every request, for the address it is made for', async () => {
      const token = await issue({ keyThumbprint: 'a-key' });
      expect(await enter(`DPoP ${token}`, proof('one', token))).toMatchObject({ tenant: 'acme' });
      expect(await enter(`dpop ${token}`, proof('two', token), `${URL}?n=1`)).toMatchObject({ tenant: 'acme' });
      expect(own.verified).toBe(1);
      expect(await refusal(`DPoP ${token}`)).toBe('invalid_dpop_proof');
      expect(await refusal(`DPoP ${token}`, proof('three', token, { url: '/v2/' }))).toBe('invalid_dpop_proof');
      expect(await refusal(`DPoP ${token}`, proof('four', 'own-1'))).toBe('invalid_dpop_proof');
      expect(await refusal(`DPoP ${token}`, proof('five', token, { key: 'another' }))).toBe('invalid_dpop_proof');
    });

    it('wants one for a token of the Authority as well', async () => {
      authority.principals.set('a.b.c', principal({ keyThumbprint: 'a-key' }));
      expect(await refusal('Bearer a.b.c')).toBe('invalid_token');
      expect(await refusal('DPoP a.b.c')).toBe('invalid_dpop_proof');
      expect(await enter('DPoP a.b.c', proof('one', 'a.b.c'))).toMatchObject({ tenant: 'acme' });
    });

    it('takes each proof once', async () => {
      const token = await issue({ keyThumbprint: 'a-key' });
      await enter(`DPoP ${token}`, proof('one', token));
      expect(await refusal(`DPoP ${token}`, proof('one', token))).toBe('invalid_dpop_proof');
    });

    it('does not take it as Bearer, proven or not, nor a bearer token as DPoP', async () => {
      const [bound, free] = [await issue({ keyThumbprint: 'a-key' }), await issue()];
      expect(await refusal(`Bearer ${bound}`)).toBe('invalid_token');
      expect(await refusal(`Bearer ${bound}`, proof('one', bound))).toBe('invalid_token');
      expect(await refusal(`DPoP ${free}`, proof('two', free))).toBe('invalid_token');
      authority.principals.set('a.b.c', principal());
      expect(await refusal('DPoP a.b.c', proof('three', 'a.b.c'))).toBe('invalid_token');
    });
  });
});
